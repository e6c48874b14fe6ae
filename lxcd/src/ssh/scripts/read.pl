# Shows output behind an offset and how the job stands: DIRECTORY OFFSET WAIT-MS GATHER-MS MOST.
# Prints `LXCD-JOB NEXT STATE WORDS`, a line break, and the output.

my ($dir, $offset, $wait, $gather, $most) = @ARGV;

my $until = now() + $wait / 1000;
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
    $nap *= 1.5 if $nap < 0.05;
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
$| = 1;
print "LXCD-JOB $next $state $words\n", $bytes;
