# Output behind an offset and how the job stands: NAME OFFSET WAIT-MS GATHER-MS MOST.
# Answers `NEXT STATE WORDS`, a line break, and the output before NEXT. What is missing between OFFSET and its begin is
# not kept any more.
sub look {
    my ($name, $offset, $wait, $gather, $most) = @_;
    my $dir = "$base/$name";
    my $began = now();
    my $until = $began + $wait / 1000;
    # Most jobs are over in a moment; for the others a look now and then is enough.
    my $nap = 0.002;
    my ($state, $words, $gathers);
    while (1) {
        ($state, $words) = state_of($dir);
        my $there = total($dir) - $offset;
        last if $state ne 'running' || $there >= $most;
        # Some more may come, and is better sent together.
        $until = now() + $gather / 1000 if $there > 0 && !$gathers++;
        # Once the helper is gone nobody hears what is said.
        last if now() >= $until || getppid() != $helper;
        pause($nap);
        $nap *= 1.5 if $nap < 0.05 && now() > $began + 0.05;
    }

    # The state is older than what is read now: what has ended has nothing more to say.
    my ($next, $total, $bytes) = kept($dir, $offset, $most);
    ($state, $words) = ('running', '') if $next < $total;
    $words =~ s/\s+/ /g;
    return "$next $state $words\n$bytes";
}

# Bytes that a job has said, kept or not.
sub total {
    my ($dir) = @_;
    while (defined(my $last = (segments($dir))[-1])) {
        my $size = -s "$dir/output.$last";
        # A writer may be several segments ahead of who has looked.
        return $last * $SEGMENT + $size if defined $size;
    }
    return 0;
}

# What is kept behind an offset, up to that much: (offset behind it, total, bytes). Where the offset is gone it is left
# behind by enough to be there for a while.
sub kept {
    my ($dir, $offset, $most) = @_;
    LOOK: while (1) {
        my @kept = segments($dir);
        my $total = total($dir);
        my $from = @kept && $offset < $kept[0] * $SEGMENT ? $kept[@kept > 1 ? -2 : 0] * $SEGMENT : $offset;
        my ($next, $bytes) = ($from, '');
        while ($next < $total && length $bytes < $most) {
            my $path = "$dir/output." . int($next / $SEGMENT);
            my $open = sysopen(my $segment, $path, O_RDONLY);
            next LOOK if !$open && $!{ENOENT};
            die "$path: $!\n" if !$open;
            sysseek($segment, $next % $SEGMENT, 0);
            my $count = sysread($segment, $bytes, $most - length $bytes, length $bytes) // die "$path: $!\n";
            last unless $count;
            $next += $count;
        }
        return ($next, $total, $bytes);
    }
}
