# Answers requests until nobody asks any more: BASE.
#
# A request is `ID VERB LENGTH…`, a line break, and an argument of each length. An answer is `ID ok|failed LENGTH`, a line
# break, and what the verb answers or why it failed. Each request is answered by a process of its own, so that one that
# waits keeps nobody.
use Digest::SHA ();

my %VERBS = (
    start => \&start, read => \&look, cancel => \&cancel, end => \&end, run => \&run, forget => \&forget,
);
# Held by whoever writes: a pipe with one byte in it.
pipe(my $turn, my $pass) or die "pipe: $!\n";
my $unread = '';
# The processes that end with this one: those that answer a `read` or a `run`.
my %waits;

# What a runner must not keep of this.
sub apart {
    close($_) for $turn, $pass;
    open(STDIN, '<', '/dev/null') && open(STDOUT, '>', '/dev/null') && open(STDERR, '>', '/dev/null')
        or die "/dev/null: $!\n";
}

sub answer {
    my ($id, $how, $bytes) = @_;
    sysread($turn, my $mine, 1);
    say_all(*STDOUT, "$id $how " . length($bytes) . "\n$bytes");
    syswrite($pass, '1');
}

# More of what is asked, or nothing when nobody does any more.
sub more { return sysread(STDIN, $unread, 1 << 16, length $unread) }

sub line {
    my $end;
    until (($end = index($unread, "\n")) >= 0) { more() or return undef }
    return substr($unread, 0, $end + 1, '');
}

sub bytes {
    my ($length) = @_;
    while (length $unread < $length) { more() or return undef }
    return substr($unread, 0, $length, '');
}

# Lets go of the processes that have ended.
sub bury {
    while ((my $ended = waitpid(-1, POSIX::WNOHANG())) > 0) { delete $waits{$ended} }
}

# Removes what was begun long ago and never became a job, and jobs that ended long ago and nobody came for.
sub sweep {
    opendir(my $jobs, $base) or return;
    for my $name (grep { /^[0-9a-f-]{36}-\d+(\.new\.|$)/ } readdir $jobs) {
        my $dir = "$base/$name";
        my $over = $name =~ /\.new\./ ? (-M $dir // 0) > 1 : (-M "$dir/exit" // 0) > 14;
        system('rm', '-rf', '--', $dir) if $over;
    }
}

sub serve {
    binmode($_) for *STDIN, *STDOUT;
    umask 077;
    syswrite($pass, '1');
    sweep();
    syswrite(STDOUT, "LXCD-JOB ready\n");
    attend();
    # Nobody hears what the ones that wait would say.
    bury();
    kill('TERM', keys %waits);
}

# Takes requests until there are no more.
sub attend {
    while (defined(my $line = line())) {
        my ($id, $verb, @lengths) = split ' ', $line;
        my @args;
        for my $length (@lengths) { push @args, bytes($length) // return }
        bury();
        my $pid = fork();
        if (!defined $pid) {
            answer($id, 'failed', "fork: $!");
        } elsif ($pid) {
            $waits{$pid} = 1 if $verb eq 'read' || $verb eq 'run';
        } else {
            my $what = eval { ($VERBS{$verb} // die "there is no $verb\n")->(@args) };
            answer($id, defined $what ? ('ok', $what) : ('failed', $@));
            POSIX::_exit(0);
        }
    }
}

serve();
