//! Redis against a real server: the courtesy lock that other people's scripts see, and wake-ups between
//! daemons. Whatever happens to it, the answer says so.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use lxc_core::ids::{DaemonId, Installation, OperationId};
use lxc_core::ports::{Clock, Courtesy, CourtesyLock, Relay};
use lxc_core::wake::Wake;
use lxc_tests::harness::RedisServer;
use lxcd::bus::{Redis, RedisRelay};
use lxcd::clock::SystemClock;

const VMID: u32 = 104;

fn here() -> Installation {
    Installation("ab12".into())
}

fn key() -> String {
    format!("lxc:lock:{}:{VMID}", here())
}

/// What another script took, and how long it still lives.
fn held(value: &str, seconds: Option<u64>) -> impl Fn(&Courtesy) -> bool {
    let value = value.to_owned();
    move |courtesy| match courtesy {
        Courtesy::Held { value: found, left } => {
            *found == value
                && match (seconds, left) {
                    (Some(most), Some(left)) => *left <= Duration::from_secs(most) && !left.is_zero(),
                    (None, None) => true,
                    _ => false,
                }
        }
        _ => false,
    }
}

#[tokio::test]
async fn the_key_is_ours_until_we_give_it_back() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let redis = Redis::open(&server.url()).expect("a URL");
    let (op, other) = (OperationId::generate(), OperationId::generate());
    assert_eq!(redis.take(&here(), VMID, op, None, 0).await, Courtesy::Taken);
    assert_eq!(server.command(&["GET", &key()]), op.to_string());
    let left: u64 = server.command(&["TTL", &key()]).parse().expect("seconds");
    assert!((290..=300).contains(&left), "{left}");

    // Taken again is renewed; another operation does not get it, and cannot give it back.
    server.command(&["EXPIRE", &key(), "10"]);
    assert_eq!(redis.take(&here(), VMID, op, None, 0).await, Courtesy::Taken);
    assert!(server.command(&["TTL", &key()]).parse::<u64>().expect("seconds") > 10);
    let answer = redis.take(&here(), VMID, other, None, 0).await;
    assert!(held(&op.to_string(), Some(300))(&answer), "{answer:?}");
    assert!(!redis.release(&here(), VMID, &other.to_string(), 0).await);
    assert_eq!(server.command(&["GET", &key()]), op.to_string());

    // What an operation that is over left behind is taken over, and only that.
    assert_eq!(redis.take(&here(), VMID, other, Some(op), 0).await, Courtesy::Taken);
    assert!(!redis.release(&here(), VMID, &op.to_string(), 0).await);
    assert!(redis.release(&here(), VMID, &other.to_string(), 0).await);
    assert_eq!(server.command(&["EXISTS", &key()]), "0");
}

#[tokio::test]
async fn a_foreign_key_is_honoured() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let redis = Redis::open(&server.url()).expect("a URL");
    let op = OperationId::generate();
    server.command(&["SET", &key(), "backup.sh on nas", "EX", "60"]);
    let answer = redis.take(&here(), VMID, op, None, 0).await;
    assert!(held("backup.sh on nas", Some(60))(&answer), "{answer:?}");
    server.command(&["PERSIST", &key()]);
    let answer = redis.take(&here(), VMID, op, Some(OperationId::generate()), 0).await;
    assert!(held("backup.sh on nas", None)(&answer), "{answer:?}");
    assert_eq!(server.command(&["GET", &key()]), "backup.sh on nas");
}

#[tokio::test]
async fn away_full_or_flushed_it_is_said_and_comes_back() {
    let Some(mut server) = RedisServer::start(&[]) else { return };
    server.kill();
    let redis = Redis::open(&server.url()).expect("it need not be there yet");
    let op = OperationId::generate();
    assert!(matches!(redis.take(&here(), VMID, op, None, 7).await, Courtesy::Away(_)));
    assert_eq!(redis.health().trouble().map(|(since, _)| since), Some(7));
    assert!(matches!(redis.take(&here(), VMID, op, None, 8).await, Courtesy::Away(_)));
    assert_eq!(redis.health().trouble().map(|(since, _)| since), Some(7), "since it began");

    server.resume();
    taken(&redis, op).await;
    assert_eq!(redis.health().trouble(), None);

    server.command(&["FLUSHALL"]);
    assert_eq!(redis.take(&here(), VMID, op, None, 9).await, Courtesy::Taken, "as if it were new");
    assert_eq!(server.command(&["GET", &key()]), op.to_string());

    server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    match redis.take(&here(), VMID + 1, op, None, 10).await {
        Courtesy::Away(why) => assert!(why.contains("maxmemory"), "{why}"),
        other => panic!("no room, and yet {other:?}"),
    }
    server.command(&["CONFIG", "SET", "maxmemory", "0"]);

    server.kill();
    assert!(matches!(redis.take(&here(), VMID, op, None, 11).await, Courtesy::Away(_)));
    server.resume();
    taken(&redis, op).await;
}

/// Until the connection has been made again.
async fn taken(redis: &Redis, op: OperationId) {
    let clock = SystemClock;
    for _ in 0..200 {
        if redis.take(&here(), VMID, op, None, 8).await == Courtesy::Taken {
            return;
        }
        clock.sleep(Duration::from_millis(50)).await;
    }
    panic!("it does not come back: {:?}", redis.health().trouble());
}

#[tokio::test]
async fn users_have_passwords_and_rights() {
    let rights = ["--user", "lxcd", "on", ">s3cret", "~lxc:*", "&lxc:*", "+@all"];
    let Some(server) = RedisServer::start(&rights) else { return };
    let with = |user: &str| Redis::open(&format!("{}?user={user}", server.url())).expect("a URL");
    let op = OperationId::generate();
    assert_eq!(with("lxcd&pass=s3cret").take(&here(), VMID, op, None, 0).await, Courtesy::Taken);
    match with("lxcd&pass=wr0ng").take(&here(), VMID, op, None, 0).await {
        Courtesy::Away(why) => assert!(!why.contains("wr0ng") && !why.is_empty(), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn daemons_wake_each_other_and_not_themselves() {
    let Some(mut server) = RedisServer::start(&[]) else { return };
    let relay = |database: &str| {
        let redis = Redis::open(&server.url()).expect("a URL");
        RedisRelay::new(redis, Arc::new(SystemClock), database, DaemonId::generate())
    };
    let (one, two, elsewhere) = (relay("here"), relay("here"), relay("elsewhere"));
    let mut hears_one = one.listen().await.expect("it listens");
    let mut hears_two = two.listen().await.expect("it listens");
    let wakes = vec![Wake::Operation(OperationId::generate()), Wake::Queue];
    elsewhere.send(&[Wake::Remotes]).await.expect("sent");
    one.send(&wakes).await.expect("sent");
    assert_eq!(hears_two.next().await, Some(wakes));
    two.send(&[Wake::Queue]).await.expect("sent");
    assert_eq!(hears_one.next().await, Some(Vec::new()), "its own, so that it knows it is heard");
    assert_eq!(hears_one.next().await, Some(vec![Wake::Queue]), "nothing of another database's");

    server.kill();
    assert_eq!(hears_one.next().await, None, "who listens is told that it is over");
    assert!(one.send(&[Wake::Queue]).await.is_err());
}
