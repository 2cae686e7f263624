use futures_util::FutureExt as _;
use proptest::prelude::*;

use super::*;

fn at(second: i64) -> Option<Timestamp> {
    Some(Timestamp::from_second(second).unwrap())
}

fn entered(place: &Place) -> bool {
    place.ticket.load(SeqCst) != 0
}

#[tokio::test]
async fn as_many_feeds_are_let_in_as_there_is_room_for() {
    let pool = MemoryPool::new(2 * SHARE);
    let places = [pool.place(), pool.place(), pool.place()];
    for place in &places[..2] {
        place.enter(None).await;
        assert!(!place.is_waited_for());
    }
    let mut third = Box::pin(places[2].enter(None));
    assert!(third.as_mut().now_or_never().is_none());
    assert!(places[0].is_waited_for());
    places[1].leave();
    third.await;
    assert!(entered(&places[2]) && !places[0].is_waited_for());
}

#[tokio::test]
async fn a_pool_that_is_too_small_still_lets_one_feed_in() {
    let pool = MemoryPool::new(1);
    let (first, second) = (pool.place(), pool.place());
    first.enter(None).await;
    assert!(second.enter(None).now_or_never().is_none());
    assert!(first.may_draw());
}

#[tokio::test]
async fn the_feed_that_worked_longest_ago_goes_first() {
    let pool = MemoryPool::new(SHARE);
    let names = ["worked last", "worked first", "never worked"];
    let last_worked = [at(200), at(100), None];
    let busy = pool.place();
    busy.enter(None).await;
    let places: Vec<_> = names.iter().map(|_| pool.place()).collect();
    let mut waits: Vec<_> = places
        .iter()
        .zip(last_worked)
        .map(|(place, worked)| Box::pin(place.enter(worked)))
        .collect();
    for wait in &mut waits {
        assert!(wait.as_mut().now_or_never().is_none());
    }
    busy.leave();
    let mut order = Vec::new();
    while order.len() < names.len() {
        for (position, wait) in waits.iter_mut().enumerate() {
            if !order.contains(&position) && wait.as_mut().now_or_never().is_some() {
                order.push(position);
                places[position].leave();
            }
        }
    }
    assert_eq!(order, [2, 1, 0]);
}

#[tokio::test]
async fn a_feed_that_had_a_turn_waits_behind_those_that_had_none() {
    let pool = MemoryPool::new(SHARE);
    let (old, new) = (pool.place(), pool.place());
    old.enter(at(0)).await;
    let mut waiting = Box::pin(new.enter(at(1_000)));
    assert!(waiting.as_mut().now_or_never().is_none());
    old.leave();
    let mut again = Box::pin(old.enter(at(0)));
    assert!(again.as_mut().now_or_never().is_none(), "the other one is next");
    waiting.await;
    new.leave();
    again.await;
}

#[tokio::test]
async fn beyond_the_limit_only_the_first_feed_draws_more() {
    let pool = MemoryPool::new(4 * SHARE);
    let (first, second) = (pool.place(), pool.place());
    first.enter(None).await;
    second.enter(None).await;
    let (mut of_first, mut of_second) = (Draw::nothing(&first), Draw::nothing(&second));
    of_second.add(2 * SHARE);
    assert!(first.may_draw() && !second.may_draw(), "four shares are used");
    of_second.set(MIN_DRAW - 1);
    of_first.add(3 * SHARE);
    assert!(second.may_draw(), "a little is left to each");
    of_second.set(2 * SHARE);
    of_first.add(5 * SHARE);
    assert!(first.may_draw());
    let third = pool.place();
    assert!(third.enter(None).now_or_never().is_none(), "there is no room for another feed");

    let mut room = Box::pin(second.room());
    assert!(room.as_mut().now_or_never().is_none());
    drop(of_first);
    assert!(room.as_mut().now_or_never().is_none());
    first.leave();
    room.await;
    of_second.set(SHARE);
    third.enter(None).now_or_never().expect("there is room again");
}

#[tokio::test]
async fn one_that_no_longer_waits_keeps_nobody_out() {
    let pool = MemoryPool::new(SHARE);
    let (busy, gone, next) = (pool.place(), pool.place(), pool.place());
    busy.enter(None).await;
    let mut wait = Box::pin(gone.enter(None));
    assert!(wait.as_mut().now_or_never().is_none());
    let mut waiting = Box::pin(next.enter(None));
    assert!(waiting.as_mut().now_or_never().is_none());
    busy.leave();
    // It was let in, and goes without having noticed.
    drop(wait);
    waiting.await;
    assert!(entered(&next) && !entered(&gone));
}

proptest! {
    /// Whatever is drawn, given back, entered and left: in the end nothing is used.
    #[test]
    fn what_is_drawn_is_given_back(
        steps in proptest::collection::vec((0..4usize, 0..4u8, 0..3 * SHARE), 0..60),
    ) {
        let pool = MemoryPool::new(3 * SHARE);
        {
            let places: Vec<_> = (0..4).map(|_| pool.place()).collect();
            let mut draws: Vec<_> = places.iter().map(Draw::nothing).collect();
            for (feed, kind, bytes) in steps {
                match kind {
                    0 if !entered(&places[feed]) => {
                        let _ = places[feed].enter(None).now_or_never();
                    }
                    1 => {
                        draws[feed].set(0);
                        places[feed].leave();
                    }
                    2 => draws[feed].set(bytes),
                    _ => drop(draws[feed].take()),
                }
                let at_work = places.iter().filter(|place| entered(place)).count();
                prop_assert_eq!(pool.lock().at_work.len(), at_work);
                let drawn: usize = draws.iter().map(|draw| draw.bytes).sum();
                prop_assert_eq!(pool.0.used.load(SeqCst), at_work * SHARE + drawn);
            }
        }
        prop_assert_eq!(pool.0.used.load(SeqCst), 0);
        prop_assert!(pool.lock().waiting.is_empty() && pool.lock().at_work.is_empty());
    }
}
