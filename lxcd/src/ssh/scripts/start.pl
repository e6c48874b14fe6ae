# Starts a job unless it was started before: NAME WAIT-MS GATHER-MS MOST TIMEOUT-MS SHA-256 STDIN WORD…
# Answers `now` or `before`, a line break, and what `read` answers from the begin.
sub start {
    my ($name, $wait, $gather, $most) = splice(@_, 0, 4);
    my $word = begin($name, @_);
    # What began has begun, also when nobody can look.
    return "$word\n" . (eval { look($name, 0, $wait, $gather, $most) } // "0 running \n");
}

# Starts it: NAME TIMEOUT-MS SHA-256 STDIN WORD…
sub begin {
    my ($name, $timeout) = splice(@_, 0, 2);
    my $dir = "$base/$name";
    return 'before' if -d $dir;
    my ($stdin, @argv) = arrived(@_);
    # Whoever runs the job for hours need not keep it in memory.
    undef $_[1];
    my $new = fresh($name);
    my $word = eval { launch($name, $new, $dir, $timeout, $stdin, \@argv) } // '';
    my $why = $@;
    return $word if $word eq 'now';
    system('rm', '-rf', '--', $new);
    # A runner that was killed without a word may have begun.
    return 'before' if $word eq 'before' || !length "$word$why" && -d $dir;
    die $why || ($word || "the runner did not begin\n");
}

# Input and words as they were sent: SHA-256 STDIN WORD…
sub arrived {
    my ($sum, $input, @argv) = @_;
    my $got = Digest::SHA::sha256_hex(join('', map { "$_\0" } @argv), $input);
    die "the upload is damaged\n" if $got ne $sum;
    # A file without a name: it may hold secrets.
    open(my $stdin, '+>', undef) or die "a file for the input: $!\n";
    say_all($stdin, $input) or die "a file for the input: $!\n";
    sysseek($stdin, 0, 0);
    return ($stdin, @argv);
}

# What a runner says of its beginning.
sub launch {
    my ($name, @rest) = @_;
    pipe(my $answer, my $says) or die "pipe: $!\n";
    my $runner = fork() // die "fork: $!\n";
    if (!$runner) {
        # Nothing of the session is kept: neither its group nor what it listens to.
        POSIX::setsid();
        $0 = "lxcd-job $name";
        apart();
        eval { runner(@rest, $says); 1 } or say_all($says, $@);
        POSIX::_exit(0);
    }
    close($says);
    local $/;
    return scalar <$answer>;
}
