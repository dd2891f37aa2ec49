fn main() {
    for a in std::env::args().skip(1) {
        let d = std::fs::read(&a).unwrap().leak();
        let t = std::time::Instant::now();
        match rjitlink::link::archive::Archive::parse(&a, d) {
            Ok(x) => println!("{a}: {} members {} syms last {:?} in {:?}", x.members.len(), x.symbols().len(), x.members.last().map(|m| rjitlink::link::archive::display_name(&a, m)), t.elapsed()),
            Err(e) => println!("ERR {e}"),
        }
    }
}
