# Starts a job unless it was started before: NAME TIMEOUT-MS BYTES-OF-OUTPUT SHA-256 STDIN WORD…
# Answers `now` or `before`.
sub start {
    my ($name, $timeout, $room, $sum, $input, @argv) = @_;
    my $dir = "$base/$name";
    # Whoever runs the job for hours need not keep it in memory.
    undef $_[4];
    return 'before' if -d $dir;
    my $got = Digest::SHA::sha256_hex(join('', map { "$_\0" } @argv), $input);
    die "the upload is damaged\n" if $got ne $sum;

    my $new = fresh($name);
    my $word = eval {
        # Never a name of its own: it may hold secrets.
        sysopen(my $stdin, "$new/stdin", O_RDWR | O_CREAT | O_EXCL, 0600) or die "$new/stdin: $!\n";
        unlink "$new/stdin";
        say_all($stdin, $input) or die "$new/stdin: $!\n";
        sysseek($stdin, 0, 0);
        undef $input;
        launch($name, $new, $dir, $timeout, $room, $stdin, \@argv);
    } // '';
    my $why = $@;
    return $word if $word eq 'now';
    system('rm', '-rf', '--', $new);
    return $word if $word eq 'before';
    die $why || ($word || "the runner did not begin\n");
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
        eval { run(@rest, $says); 1 } or say_all($says, $@);
        POSIX::_exit(0);
    }
    close($says);
    local $/;
    return scalar <$answer>;
}
