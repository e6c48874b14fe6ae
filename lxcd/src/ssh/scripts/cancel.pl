# Asks a job to end: NAME. Its runner ends it; without one this does. One that has not begun never will.
sub cancel {
    my ($name) = @_;
    my $dir = "$base/$name";
    if (!-d $dir) {
        my $new = fresh($name);
        put($new, 'exit', 'cancelled');
        settle("$new/exit");
        settle($new);
        if (rename($new, $dir)) {
            settle($base);
            return '';
        }
        system('rm', '-rf', '--', $new);
    }
    return '' if defined ended($dir);
    put($dir, 'cancel', '');
    my $lock = take($dir, 5);
    if ($lock && !defined ended($dir) && (my $group = orphan($dir))) {
        kill('TERM', -$group);
        my $until = now() + $GRACE;
        pause(0.05) while kill(0, -$group) && now() < $until;
        kill('KILL', -$group);
    }
    return '';
}
