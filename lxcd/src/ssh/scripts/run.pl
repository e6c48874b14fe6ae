# Runs one job, detached from whoever started it. Says `now` once it is on the disk that the job has begun, or `before`
# if somebody else was first.

# Reads up to that much of what was said and keeps what there is room for. True = there may be more at once.
sub drain {
    my ($job, $most) = @_;
    while ($most > 0) {
        my $count = sysread($job->{said}, my $bytes, 65536);
        return 0 unless defined $count;
        return $job->{open} = 0 unless $count;
        $most -= $count;
        next if $job->{room} < 0;
        # A full disk loses output, not the job.
        syswrite($job->{output}, substr($bytes, 0, $job->{room})) if $job->{room};
        $job->{room} -= $count;
        syswrite($job->{output}, "\n[lxcd: the output is too long, the rest is thrown away]\n")
            if $job->{room} < 0;
    }
    return 1;
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

# Waits for the end, or brings it about; how it ended.
sub watch {
    my ($job, $dir, $timeout) = @_;
    my $pid = $job->{pid};
    # Until it is executed, or the reason why not.
    my $why = '';
    while (sysread($job->{failed}, my $more, 4096)) { $why .= $more }
    $job->{said}->blocking(0);
    local $SIG{CHLD} = sub { };
    my $deadline = now() + $timeout / 1000;
    my ($status, $reason, $kill, $looked) = (undef, undef, undef, 0);
    while (1) {
        my $here = waitpid($pid, POSIX::WNOHANG()) != $pid;
        $status = $? unless $here || defined $status;
        my $ended = defined $status;
        # What it said before it ended is in the pipe; what others go on saying is not waited for.
        drain($job, $ended ? 1 << 20 : 1 << 22) if $job->{open};
        # A group that was told to end may outlive its first process.
        last if $ended && !(defined $kill && kill(0, -$pid) && now() < $kill);

        if (!defined $reason && now() >= $looked) {
            $looked = now() + 0.1;
            my $grace;
            if (-e "$dir/cancel") { ($reason, $grace) = ('cancelled', 10) }
            elsif (now() >= $deadline) { ($reason, $grace) = ('timeout', 10) }
            if (defined $reason) {
                kill('TERM', -$pid);
                $kill = now() + $grace;
            }
        }
        kill('KILL', -$pid) if defined $kill && now() >= $kill;
        my $bits = '';
        vec($bits, fileno($job->{said}), 1) = 1 if $job->{open};
        select($bits, undef, undef, 0.1);
    }
    kill('KILL', -$pid) if defined $reason;
    return length $why ? "failed $why"
        : defined $reason ? $reason
        : $status & 127 ? 'signal ' . ($status & 127)
        : 'code ' . ($status >> 8);
}

# Runs a job in a directory that becomes the job's.
sub run {
    my ($new, $dir, $timeout, $room, $stdin, $argv, $answer) = @_;
    my $lock = take($new) // die "$new/lock: $!\n";
    sysopen(my $output, "$new/output", O_WRONLY | O_CREAT | O_APPEND, 0600) or die "$new/output: $!\n";
    my $job = hold($stdin, $argv);
    @$job{qw(room output)} = ($room, $output);
    put($new, 'started', join(' ', boot_id(), $$, $job->{pid}, begun($job->{pid})) . "\n");
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
    syswrite($job->{go}, '1');
    close($job->{go});
    close($stdin);
    say_all($answer, 'now');
    close($answer);

    my $exit = watch($job, $dir, $timeout);
    # A full disk may get room again; until then the job counts as running.
    for (1 .. 3600) {
        last if eval { put($dir, 'exit', $exit); 1 };
        pause(1);
    }
    # Whoever reads it keeps it on a disk of theirs; this is for those who come after a loss of power.
    eval { $output->sync; settle("$dir/exit"); settle($dir) };
    close($lock);

    # A process that the command has left behind may still hold the pipe: it must not be ended by a write.
    if ($job->{open}) {
        chdir '/';
        $job->{said}->blocking(1);
        open(STDIN, '<&', $job->{said}) && exec { '/bin/cat' } 'lxcd-job-rest';
    }
}
