# Runs a command and waits for it, without a file: MOST-BYTES TIMEOUT-MS SHA-256 STDIN WORD…
# Answers `code N`, `signal N`, `timeout` or `failed WHY`, a line break, and what it said.
sub run {
    my ($most, $timeout) = splice(@_, 0, 2);
    my ($stdin, @argv) = arrived(@_);
    my $command = hold($stdin, \@argv);
    # Nobody hears it any more.
    local $SIG{TERM} = sub {
        kill('KILL', -$command->{pid});
        POSIX::_exit(1);
    };
    my $said = '';
    $command->{keep} = sub { $said .= substr($_[0], 0, $most - length $said) if length $said < $most };
    go($command);
    my $exit = watch($command, $timeout, sub { 0 });
    return "$exit\n$said";
}
