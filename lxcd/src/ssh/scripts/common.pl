# What the programs below share: how a job stands, by what lies in its directory.
#
#   argv     the command, each word ended by NUL
#   stdin    what it reads; deleted once it has been opened
#   lock     held by the runner for as long as the job runs
#   started  boot id, the runner's pid, the command's pid and start time: on the disk before the command begins
#   output   standard output and error
#   cancel   somebody wants it to end
#   exit     how it ended; written as a whole
use strict;
use warnings;
use Fcntl qw(:DEFAULT :flock);
use IO::Handle;
use POSIX ();

my $TICKS = POSIX::sysconf(POSIX::_SC_CLK_TCK());

# Seconds on a clock that does not jump.
sub now { return (POSIX::times())[0] / $TICKS }

sub pause { select(undef, undef, undef, $_[0]) }

sub slurp {
    my ($path) = @_;
    open(my $file, '<', $path) or return undef;
    local $/;
    return scalar <$file>;
}

# Puts what was done to a file or a directory on the disk.
sub settle {
    my ($path) = @_;
    sysopen(my $file, $path, O_RDONLY) or die "$path: $!\n";
    $file->sync or die "$path: $!\n";
}

# Writes a file as a whole, on the disk when this returns.
sub put {
    my ($dir, $name, $text) = @_;
    my $new = "$dir/$name.$$.tmp";
    open(my $file, '>', $new) or die "$dir/$name: $!\n";
    (print $file $text) && $file->flush && $file->sync && close($file) or die "$dir/$name: $!\n";
    rename($new, "$dir/$name") or die "$dir/$name: $!\n";
    settle($dir);
}

# Takes the lock of a job if nobody has it; it is free again when what this returns is gone. Somebody may just be
# looking, which holds it for a moment: whoever needs to be sure tries several times.
sub take {
    my ($dir, $tries) = @_;
    open(my $lock, '>>', "$dir/lock") or return undef;
    for my $try (1 .. $tries // 1) {
        pause(0.02) if $try > 1;
        return $lock if flock($lock, LOCK_EX | LOCK_NB);
    }
    return undef;
}

sub boot_id {
    my $id = slurp('/proc/sys/kernel/random/boot_id') // '';
    chomp $id;
    return $id;
}

# When a process began, in ticks since the boot; nothing if there is none of that number (any more).
sub begun {
    my ($pid) = @_;
    my $stat = slurp("/proc/$pid/stat") // return '';
    # The name in parentheses may hold anything, also parentheses.
    return (split ' ', $stat =~ s/.*\)//sr)[19] // '';
}

# The process group of a job whose runner is gone, if it still lives.
sub orphan {
    my ($dir) = @_;
    my ($boot, undef, $pid, $begun) = split ' ', slurp("$dir/started") // return undef;
    return undef unless defined $begun && $boot eq boot_id();
    return begun($pid) eq $begun ? $pid : undef;
}

# (state, words): absent, running, ended or lost.
sub state_of {
    my ($dir) = @_;
    for my $look (1 .. 2) {
        return ('absent', '') unless -d $dir;
        # First the lock, then what its holder wrote before it was gone.
        my $held = !take($dir);
        my $exit = slurp("$dir/exit");
        return ('ended', $exit) if defined $exit;
        my $started = slurp("$dir/started");
        my ($boot) = defined $started ? split ' ', $started : ();
        return ('lost', 'the node was restarted while it ran') if defined $boot && $boot ne boot_id();
        return ('running', '') if $held;
        return ('absent', '') unless defined $started;
        # A runner may have begun since the lock was free: look again.
    }
    return ('lost', 'its runner on the node was killed' . (orphan($dir) ? '; the command goes on' : ''));
}
