// What a Rust program asks of its standard library: memory, output, threads with variables of their own, panics that unwind.
#![no_main]
use std::cell::RefCell;
use std::collections::HashMap;

struct Noise(&'static str);

impl Drop for Noise {
    fn drop(&mut self) {
        println!("dropped {}", self.0);
    }
}

thread_local! {
    static MINE: RefCell<Vec<i32>> = const { RefCell::new(Vec::new()) };
}

fn element(index: usize) -> i32 {
    let _noise = Noise("while unwinding");
    let numbers = vec![1, 2, 3];
    numbers[index]
}

fn sum_in_thread(number: i32) -> i32 {
    MINE.with_borrow_mut(|mine| mine.push(number));
    MINE.with_borrow(|mine| mine.iter().sum())
}

#[no_mangle]
pub extern "C" fn main(count: i32, _arguments: *const *const u8) -> i32 {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, word) in "a b c a b a".split(' ').enumerate() {
        places.entry(word).or_default().push(place);
    }
    let mut places: Vec<_> = places.into_iter().collect();
    places.sort();
    println!("{places:?} {}", std::env::args().count() as i32 == count);
    std::panic::set_hook(Box::new(|info| println!("hook: {}", info.location().unwrap().line())));
    println!("caught {}", std::panic::catch_unwind(|| element(7)).is_err());
    let threads: Vec<_> = (0..4).map(|number| std::thread::spawn(move || sum_in_thread(number))).collect();
    println!("sum {}", threads.into_iter().map(|thread| thread.join().unwrap()).sum::<i32>());
    let failed = std::thread::spawn(|| if sum_in_thread(5) == 5 { panic!("in a thread") }).join().unwrap_err();
    println!("{:?}", failed.downcast_ref::<&str>());
    let mut text = String::new();
    (0..100_000).for_each(|_| text.push('x'));
    println!("{}", text.len());
    3
}
