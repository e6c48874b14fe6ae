# Asks a job to end: DIRECTORY. Its runner ends it; without one this does.

my ($dir) = @ARGV;

if (-d $dir && !-e "$dir/exit") {
    put($dir, 'cancel', '');
    my $lock = take($dir, 5);
    if ($lock && !-e "$dir/started") {
        # Not begun: it will not.
        put($dir, 'exit', 'cancelled');
    } elsif ($lock && !-e "$dir/exit" && (my $group = orphan($dir))) {
        kill('TERM', -$group);
        my $until = now() + 5;
        pause(0.05) while kill(0, -$group) && now() < $until;
        kill('KILL', -$group);
    }
}
print "LXCD-JOB\n";
