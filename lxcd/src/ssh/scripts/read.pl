# Output behind an offset and how the job stands: NAME OFFSET WAIT-MS GATHER-MS MOST.
# Answers `NEXT STATE WORDS`, a line break, and the output.
sub look {
    my ($name, $offset, $wait, $gather, $most) = @_;
    my $dir = "$base/$name";
    my $began = now();
    my $until = $began + $wait / 1000;
    # Most jobs are over in a moment; for the others a look now and then is enough.
    my $nap = 0.002;
    my ($state, $words, $there, $gathers);
    while (1) {
        ($state, $words) = state_of($dir);
        $there = (-s "$dir/output" // 0) - $offset;
        last if $state ne 'running' || $there >= $most;
        # Some more may come, and is better sent together.
        $until = now() + $gather / 1000 if $there > 0 && !$gathers++;
        last if now() >= $until;
        pause($nap);
        $nap *= 1.5 if $nap < 0.05 && now() > $began + 0.05;
    }

    # The state is older than what is read now: what has ended has nothing more to say.
    my $bytes = '';
    if ($there > 0 && sysopen(my $output, "$dir/output", O_RDONLY)) {
        sysseek($output, $offset, 0);
        while (length $bytes < $most) {
            last unless sysread($output, $bytes, $most - length $bytes, length $bytes);
        }
    }
    my $next = $offset + length $bytes;
    ($state, $words) = ('running', '') if $state eq 'ended' && $next < (-s "$dir/output" // 0);
    $words =~ s/\s+/ /g;
    return "$next $state $words\n$bytes";
}
