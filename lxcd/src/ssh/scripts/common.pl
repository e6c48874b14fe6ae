# What the parts below share: how a job stands, by what lies in its directory.
#
#   lock     held by the runner for as long as the job runs
#   started  boot id, the runner's pid, the command's pid and start time: on the disk before the command begins
#   output.N standard output and error, from byte N * $SEGMENT on, which is where the one before it ends; the last few
#   cancel   somebody wants it to end
#   exit     how it ended; written as a whole
#
# The directory appears by one rename, with the lock taken and `started` written: where there is none, nothing began.
use strict;
use warnings;
use Fcntl qw(:DEFAULT :flock);
use IO::Handle;
use POSIX ();

my ($base) = @ARGV;
# Who answers; each request is answered by a child of it.
my $helper = $$;
# Bytes in a segment of output.
my $SEGMENT = 4 << 20;
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

# Writes all of it.
sub say_all {
    my ($file, $bytes) = @_;
    my $at = 0;
    while ($at < length $bytes) {
        my $count = syswrite($file, $bytes, 1 << 18, $at);
        next if !defined $count && $!{EINTR};
        return 0 unless defined $count;
        $at += $count;
    }
    return 1;
}

# Puts what was done to a file or a directory on the disk.
sub settle {
    my ($path) = @_;
    sysopen(my $file, $path, O_RDONLY) or die "$path: $!\n";
    $file->sync or die "$path: $!\n";
}

# The numbers of the segments of output that are kept, in order. A loss of power may have left a gap: what is before it
# is none of them.
sub segments {
    my ($dir) = @_;
    opendir(my $all, $dir) or return;
    my ($last) = sort { $b <=> $a } map { /^output\.(\d+)$/ } readdir $all;
    my $first = $last // return;
    $first-- while (-s "$dir/output." . ($first - 1) || 0) == $SEGMENT;
    return ($first .. $last);
}

# Writes a file as a whole.
sub put {
    my ($dir, $name, $text) = @_;
    my $new = "$dir/$name.$$.tmp";
    open(my $file, '>', $new) or die "$dir/$name: $!\n";
    (print $file $text) && close($file) && rename($new, "$dir/$name") or die "$dir/$name: $!\n";
}

# A directory that is to become a job's. Who is not done with it within a day will not be.
sub fresh {
    my ($name) = @_;
    system('mkdir', '-p', '--', $base) == 0 or die "$base cannot be made\n" unless -d $base;
    for my $try (1 .. 1000) {
        my $new = "$base/$name.new.$$.$try";
        return $new if mkdir $new;
        die "$new: $!\n" unless $!{EEXIST};
    }
    die "$base is full of what others have left\n";
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

# How it ended; a loss of power may have left an empty file.
sub ended {
    my ($dir) = @_;
    my $exit = slurp("$dir/exit") // '';
    return length $exit ? $exit : undef;
}

# (state, words): absent, running, ended or lost.
sub state_of {
    my ($dir) = @_;
    return ('absent', '') unless -d $dir;
    # First the lock, then what its holder wrote before it was gone.
    my $held = !take($dir);
    my $exit = ended($dir);
    return ('ended', $exit) if defined $exit;
    my ($boot) = split ' ', slurp("$dir/started") // '';
    return ('lost', 'the node was restarted while it ran') if defined $boot && $boot ne boot_id();
    return ('running', '') if $held;
    return ('lost', 'its runner on the node was killed' . (orphan($dir) ? '; the command goes on' : ''));
}
