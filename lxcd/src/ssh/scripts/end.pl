# Ends whatever still runs of operations, and waits for that: OPERATION…
# Answers `yes`, or `no` when something does not end.
sub end {
    my %whose = map { $_ => 1 } @_;
    opendir(my $jobs, $base) or return 'yes';
    my @names = grep { /^(.*)-\d+$/ && $whose{$1} && !defined ended("$base/$_") } readdir $jobs;
    cancel($_) for @names;
    my $until = now() + $GRACE + 2;
    while (grep { lives("$base/$_") } @names) {
        return 'no' if now() >= $until;
        pause(0.05);
    }
    return 'yes';
}

# Whether a job, or what it has left, still runs.
sub lives {
    my ($dir) = @_;
    my ($state) = state_of($dir);
    return $state eq 'running' || $state eq 'lost' && orphan($dir);
}
