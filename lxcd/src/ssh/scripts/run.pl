# Runs one job, detached from the session that started it: DIRECTORY TIMEOUT-MS BYTES-OF-OUTPUT.
# Says `ok` and closes its output once it is on the disk that the job has begun; `known` if that was so before.

my ($dir, $timeout, $room) = @ARGV;

sub known { print "known\n"; exit 0 }

# Perl closes everything from 3 on in the command, which must not keep the lock.
my $lock = take($dir, 20) // known();
known() if -e "$dir/started" || -e "$dir/exit";
if (-e "$dir/cancel") {
    put($dir, 'exit', 'cancelled');
    known();
}

my @argv = split /\0/, slurp("$dir/argv") // die("$dir/argv: $!\n"), -1;
pop @argv;
open(my $stdin, '<', "$dir/stdin") or die "$dir/stdin: $!\n";
sysopen(my $output, "$dir/output", O_WRONLY | O_CREAT | O_APPEND, 0600) or die "$dir/output: $!\n";
pipe(my $said, my $says) && pipe(my $may_go, my $go) && pipe(my $failed, my $fails) or die "pipe: $!\n";

my $pid = fork() // die "fork: $!\n";
if (!$pid) {
    # A group of its own, so that all of it can be ended.
    POSIX::setpgid(0, 0);
    close($go);
    open(STDIN, '<&', $stdin) && open(STDOUT, '>&', $says) && open(STDERR, '>&', $says) or POSIX::_exit(127);
    # Not before it is on the disk that it begins; the runner may die before that.
    sysread($may_go, my $byte, 1) or POSIX::_exit(127);
    # What the session had set or ignored is no business of the command.
    $SIG{$_} = 'DEFAULT' for qw(HUP INT QUIT PIPE TERM CHLD USR1 USR2);
    %ENV = (PATH => '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME => '/root',
        LANG => 'C.UTF-8');
    umask 022;
    chdir '/';
    { no warnings; exec { $argv[0] } @argv; }
    syswrite($fails, "$argv[0]: $!");
    POSIX::_exit(127);
}
close($says);
close($fails);
close($may_go);
POSIX::setpgid($pid, $pid);

# A command of which nobody knows is never let go: without `go` the child ends by itself.
put($dir, 'started', join(' ', boot_id(), $$, $pid, begun($pid)) . "\n");
settle("$dir/..");
syswrite($go, '1');
close($go);
close($stdin);
unlink "$dir/stdin";
print "ok\n";
open(STDOUT, '>', '/dev/null');
open(STDERR, '>', '/dev/null');

# Until it is executed, or the reason why not.
my $why = '';
while (sysread($failed, my $more, 4096)) { $why .= $more }

my $open = 1;
$said->blocking(0);

# Reads up to that much of what was said and keeps what there is room for. False = nothing more for now.
sub drain {
    my ($most) = @_;
    while ($most > 0) {
        my $count = sysread($said, my $bytes, 65536);
        return 0 unless defined $count;
        return $open = 0 unless $count;
        $most -= $count;
        next if $room < 0;
        # A full disk loses output, not the job.
        syswrite($output, substr($bytes, 0, $room)) if $room;
        $room -= $count;
        syswrite($output, "\n[lxcd: the output is too long, the rest is thrown away]\n") if $room < 0;
    }
    return 1;
}

local $SIG{CHLD} = sub { };
my $deadline = now() + $timeout / 1000;
my ($status, $reason, $kill, $looked) = (undef, undef, undef, 0);
while (1) {
    my $here = waitpid($pid, POSIX::WNOHANG()) != $pid;
    $status = $? unless $here || defined $status;
    my $ended = defined $status;
    # What it said before it ended is in the pipe; what others go on saying is not waited for.
    drain($ended ? 1 << 20 : 1 << 22) if $open;
    # A group that was told to end may outlive its first process.
    last if $ended && !(defined $kill && kill(0, -$pid) && now() < $kill);

    if (!defined $reason && now() >= $looked) {
        $looked = now() + 0.1;
        my $grace;
        if (-e "$dir/cancel") { ($reason, $grace) = ('cancelled', 5) }
        elsif (now() >= $deadline) { ($reason, $grace) = ('timeout', 10) }
        if (defined $reason) {
            kill('TERM', -$pid);
            $kill = now() + $grace;
        }
    }
    if (defined $kill && now() >= $kill) {
        kill('KILL', -$pid);
    }
    my $bits = '';
    vec($bits, fileno($said), 1) = 1 if $open;
    select($bits, undef, undef, 0.1);
}
kill('KILL', -$pid) if defined $reason;

my $exit = length $why ? "failed $why"
    : defined $reason ? $reason
    : $status & 127 ? 'signal ' . ($status & 127)
    : 'code ' . ($status >> 8);
# A full disk may get room again; until then the job counts as running.
for (1 .. 3600) {
    last if eval { $output->sync; put($dir, 'exit', $exit); 1 };
    pause(1);
}
close($lock);

# A process that the command has left behind may still hold the pipe: it must not be ended by a write.
if ($open) {
    chdir '/';
    $said->blocking(1);
    open(STDIN, '<&', $said) && exec { '/bin/cat' } 'lxcd-job-rest';
}
