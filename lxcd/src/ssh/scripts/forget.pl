# Removes what is left of an operation's jobs, but for those that run: OPERATION.
sub forget {
    my ($operation) = @_;
    opendir(my $jobs, $base) or return '';
    for my $name (grep { /^\Q$operation\E-\d+(\.new\..*)?$/ } readdir $jobs) {
        my $dir = "$base/$name";
        # Held until it is gone: no runner begins meanwhile.
        my $lock = take($dir, 5) or next;
        next if !defined ended($dir) && orphan($dir);
        system('rm', '-rf', '--', $dir) == 0 or die "$dir cannot be removed\n";
    }
    return '';
}
