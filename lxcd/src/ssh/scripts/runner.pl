# Commands: held until they may begin, watched until they end, and the runner of a job, which does both.

# Seconds between TERM and KILL. What runs in a container has ended its own by then.
my $GRACE = 10;
# Segments of output that are kept.
my $SEGMENTS = 4;

# Reads up to that much of what was said and hands it on. True = there may be more at once.
sub drain {
    my ($command, $most) = @_;
    while ($most > 0) {
        my $count = sysread($command->{said}, my $bytes, 65536);
        return 0 unless defined $count;
        return $command->{open} = 0 unless $count;
        $most -= $count;
        $command->{keep}->($bytes);
    }
    return 1;
}

# Keeps the last of the output, in segments of which the first is there already. A full disk loses output, not the job:
# an offset counts what was written.
sub keeper {
    my ($dir, $output) = @_;
    my ($number, $size) = (0, 0);
    return sub {
        my ($bytes) = @_;
        my $at = 0;
        while ($at < length $bytes) {
            if ($size >= $SEGMENT) {
                my $next = $number + 1;
                # First, so that there is room for what comes.
                unlink("$dir/output." . ($next - $SEGMENTS));
                sysopen(my $new, "$dir/output.$next", O_WRONLY | O_CREAT | O_APPEND, 0600) or return;
                ($output, $number, $size) = ($new, $next, 0);
            }
            my $fits = $SEGMENT - $size;
            my $left = length($bytes) - $at;
            my $count = syswrite($output, $bytes, $left < $fits ? $left : $fits, $at);
            next if !defined $count && $!{EINTR};
            return unless defined $count;
            $at += $count;
            $size += $count;
        }
    };
}

# A command that waits for a word before it begins: without one it ends by itself.
sub hold {
    my ($stdin, $argv) = @_;
    pipe(my $said, my $says) && pipe(my $may_go, my $go) && pipe(my $failed, my $fails) or die "pipe: $!\n";
    my $pid = fork() // die "fork: $!\n";
    if ($pid) {
        POSIX::setpgid($pid, $pid);
        return { pid => $pid, said => $said, go => $go, failed => $failed, open => 1 };
    }
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
    { no warnings; exec { $argv->[0] } @$argv; }
    syswrite($fails, "$argv->[0]: $!");
    POSIX::_exit(127);
}

# Lets it begin.
sub go {
    my ($command) = @_;
    syswrite($command->{go}, '1');
    close($command->{go});
}

# Waits for the end, or brings it about; how it ended.
sub watch {
    my ($command, $timeout, $unwanted) = @_;
    my $pid = $command->{pid};
    # Until it is executed, or the reason why not.
    my $why = '';
    while (sysread($command->{failed}, my $more, 4096)) { $why .= $more }
    $command->{said}->blocking(0);
    local $SIG{CHLD} = sub { };
    my $deadline = now() + $timeout / 1000;
    my ($status, $reason, $kill, $looked) = (undef, undef, undef, 0);
    # Once it says no more it is about to end, mostly; that may happen just before the wait for it.
    my $nap = 0.002;
    while (1) {
        my $here = waitpid($pid, POSIX::WNOHANG()) != $pid;
        $status = $? unless $here || defined $status;
        my $ended = defined $status;
        # What it said before it ended is in the pipe; what others go on saying is not waited for.
        drain($command, $ended ? 1 << 20 : 1 << 22) if $command->{open};
        # A group that was told to end may outlive its first process.
        last if $ended && !(defined $kill && kill(0, -$pid) && now() < $kill);

        if (!defined $reason && now() >= $looked) {
            $looked = now() + 0.1;
            $reason = $unwanted->() ? 'cancelled' : now() >= $deadline ? 'timeout' : undef;
            if (defined $reason) {
                kill('TERM', -$pid);
                $kill = now() + $GRACE;
            }
        }
        kill('KILL', -$pid) if defined $kill && now() >= $kill;
        my $bits = '';
        vec($bits, fileno($command->{said}), 1) = 1 if $command->{open};
        $nap *= 1.5 unless $command->{open} || $nap > 0.1;
        select($bits, undef, undef, $command->{open} ? 0.1 : $nap);
    }
    kill('KILL', -$pid) if defined $reason;
    $why =~ s/\s+/ /g;
    return length $why ? "failed $why"
        : defined $reason ? $reason
        : $status & 127 ? 'signal ' . ($status & 127)
        : 'code ' . ($status >> 8);
}

# The runner of a job, in a directory that becomes the job's. Says `now` once it is on the disk that the job has begun, or
# `before` if somebody else was first.
sub runner {
    my ($new, $dir, $timeout, $stdin, $argv, $answer) = @_;
    my $lock = take($new) // die "$new/lock: $!\n";
    sysopen(my $output, "$new/output.0", O_WRONLY | O_CREAT | O_APPEND, 0600) or die "$new/output.0: $!\n";
    my $command = hold($stdin, $argv);
    # It says nothing before the directory has its name.
    $command->{keep} = keeper($dir, $output);
    put($new, 'started', join(' ', boot_id(), $$, $command->{pid}, begun($command->{pid})) . "\n");
    settle("$new/started");
    settle($new);
    # One rename decides who was first.
    if (!rename($new, $dir)) {
        my $why = $!;
        die "$dir: $why\n" unless -d $dir;
        say_all($answer, 'before');
        return;
    }
    settle($base);
    go($command);
    close($stdin);
    say_all($answer, 'now');
    close($answer);

    my $exit = watch($command, $timeout, sub { -e "$dir/cancel" });
    # A full disk may get room again; until then the job counts as running. Nobody waits where the directory is gone.
    for (1 .. 3600) {
        last if !-d $dir || eval { put($dir, 'exit', $exit); 1 };
        pause(1);
    }
    close($lock);
    # Whoever reads it keeps it on a disk of theirs; this is for those who come after a loss of power.
    eval { settle($_) for (map { "$dir/output.$_" } segments($dir)), "$dir/exit", $dir };

    # A process that the command has left behind may still hold the pipe: it must not be ended by a write.
    if ($command->{open}) {
        chdir '/';
        $command->{said}->blocking(1);
        open(STDIN, '<&', $command->{said}) && exec { '/bin/cat' } 'lxcd-job-rest';
    }
}
