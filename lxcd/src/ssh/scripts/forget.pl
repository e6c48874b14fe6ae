# Removes what is left of an operation's jobs, but for those that run: BASE OPERATION.

my ($base, $operation) = @ARGV;

if (opendir(my $jobs, $base)) {
    for my $name (grep { /^\Q$operation\E-\d+(\.new\..*)?$/ } readdir $jobs) {
        my $dir = "$base/$name";
        # Held until it is gone: no runner begins meanwhile.
        my $lock = take($dir, 5) or next;
        next if !-e "$dir/exit" && orphan($dir);
        system('rm', '-rf', '--', $dir) == 0 or exit 1;
    }
}
print "LXCD-JOB\n";
