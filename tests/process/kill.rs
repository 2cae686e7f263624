//! The handler is killed again and again, at any moment: no event may get lost, and only what was
//! under way may come twice.
//!
//! Everything but the far ends is what is shipped: the program under a Functions host, with its
//! state in Azurite. Worlds of [`KILLS`] kills each run side by side; `scripts/killtest` says how
//! many, and from which seed.

mod account;
mod calendar;
mod moments;
mod orders;
mod storage;
mod strike;
mod traffic;
mod world;

use std::time::Instant;

use futures_util::{StreamExt as _, stream};

use account::Account;
use moments::Moments;
use orders::{Orders, WorldOrder};
use world::World;

/// So many worlds run at once.
const SIDE_BY_SIDE: usize = 4;

/// Fewer kills than this need not have hit every moment.
const ENOUGH: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn kills_at_any_moment_lose_no_event() {
    let orders = Orders::from_environment();
    println!("{orders}");
    let began = Instant::now();
    let mut worlds = stream::iter(orders.worlds()).map(killed).buffer_unordered(SIDE_BY_SIDE);
    let (mut account, mut moments) = (Account::default(), Moments::default());
    while let Some((of_world, hit)) = worlds.next().await {
        account.add(&of_world);
        moments.add(&hit);
    }
    println!("{account} in {:.0} s\n{moments}", began.elapsed().as_secs_f64());
    if orders.kills >= ENOUGH {
        moments.assert_covered();
        assert!(account.costly_kills > 0, "no kill hit between an answer and the ledger");
    }
}

/// A world with kills, in a task of its own, so that a failure can say how to see it again.
async fn killed(order: WorldOrder) -> (Account, Moments) {
    let life = tokio::spawn(async move {
        let mut world = World::new(order.seed, order.kills).await;
        for _ in 0..order.kills {
            world.round_with_kill().await;
        }
        world.settle().await;
        let account = world.account();
        println!("{order}: {account}");
        (account, world.moments)
    });
    life.await.unwrap_or_else(|fault| panic!("{fault}; to see it again: {}", order.command()))
}

/// The same without kills: what comes twice above comes of the kills.
#[tokio::test(flavor = "multi_thread")]
async fn without_kills_no_event_comes_twice() {
    let rounds = 5;
    let mut world = World::new(Orders::from_environment().seed, rounds).await;
    for _ in 0..rounds {
        world.round_in_peace().await;
    }
    world.settle().await;
    let account = world.account();
    println!("without kills: {account}");
    assert_eq!(account.duplicates, 0);
}
