//! Which library a symbol that nothing defines is probably in.

/// Beginnings of names and the library they belong to; the first that fits counts.
const PREFIXES: [(&str, &str); 42] = [
    ("_ZNSt10filesystem", "stdc++"),
    ("_ZNSt3__1", "c++"),
    ("_ZNKSt3__1", "c++"),
    ("_ZTVNSt3__1", "c++"),
    ("_ZTINSt3__1", "c++"),
    ("_ZN5boost6system", "boost_system"),
    ("_ZN5boost10filesystem", "boost_filesystem"),
    ("_ZN6google8protobuf", "protobuf"),
    ("_ZNSt", "stdc++"),
    ("_ZNKSt", "stdc++"),
    ("_ZSt", "stdc++"),
    ("_ZTVSt", "stdc++"),
    ("_ZTISt", "stdc++"),
    ("_ZTVN10__cxxabiv1", "stdc++"),
    ("_ZN9__gnu_cxx", "stdc++"),
    ("_ZN10__cxxabiv1", "stdc++"),
    ("__cxa_", "stdc++"),
    ("__gxx_personality", "stdc++"),
    ("__dynamic_cast", "stdc++"),
    ("_Unwind_", "gcc_s"),
    ("pthread_", "pthread"),
    ("sem_", "pthread"),
    ("__ubsan_", "ubsan"),
    ("__gcov_", "gcov"),
    ("omp_", "gomp"),
    ("GOMP_", "gomp"),
    ("__kmpc_", "omp"),
    ("__atomic_", "atomic"),
    ("_gfortran_", "gfortran"),
    ("sqlite3_", "sqlite3"),
    ("lua_", "lua5.4"),
    ("luaL_", "lua5.4"),
    ("png_", "png"),
    ("curl_", "curl"),
    ("SSL_", "ssl"),
    ("EVP_", "crypto"),
    ("ZSTD_", "zstd"),
    ("LZ4_", "lz4"),
    ("BZ2_", "bz2"),
    ("lzma_", "lzma"),
    ("__gmpz_", "gmp"),
    ("cblas_", "cblas"),
];

/// Names and the library they are in.
const NAMES: [(&str, &[&str]); 7] = [
    ("stdc++", &["_Znwm", "_Znam", "_ZdlPv", "_ZdaPv", "_ZdlPvm", "_ZdaPvm", "_ZnwmSt11align_val_t"]),
    ("dl", &["dlopen", "dlsym", "dlclose", "dlerror", "dladdr", "dlinfo", "dlvsym"]),
    ("rt", &["shm_open", "shm_unlink", "timer_create", "timer_settime", "mq_open", "aio_read", "aio_write"]),
    ("util", &["openpty", "forkpty", "login_tty"]),
    ("crypt", &["crypt", "crypt_r"]),
    (
        "z",
        &[
            "deflate",
            "deflateEnd",
            "deflateInit_",
            "deflateInit2_",
            "deflateBound",
            "inflate",
            "inflateEnd",
            "inflateInit_",
            "inflateInit2_",
            "compress",
            "compress2",
            "compressBound",
            "uncompress",
            "crc32",
            "adler32",
            "zlibVersion",
            "gzopen",
            "gzread",
            "gzwrite",
            "gzclose",
        ],
    ),
    ("ncurses", &["initscr", "endwin", "wrefresh", "newwin", "wgetch", "noecho"]),
];

/// Functions of the mathematical library, which also exist with an `f` or `l` at the end.
const MATHEMATICAL: [&str; 44] = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "cos",
    "cosh",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "fdim",
    "floor",
    "fma",
    "fmax",
    "fmin",
    "fmod",
    "hypot",
    "ilogb",
    "lgamma",
    "llround",
    "log",
    "log10",
    "log1p",
    "log2",
    "lround",
    "modf",
    "nearbyint",
    "nextafter",
    "pow",
    "remainder",
    "rint",
    "round",
    "sin",
    "sincos",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
];

/// Beginnings of linker-level names, and the facility of Apple's systems that they belong to: no library brings it elsewhere.
const FACILITIES: [(&str, &str); 18] = [
    ("_objc_", "the Objective-C runtime"),
    ("__objc_", "the Objective-C runtime"),
    ("_OBJC_", "the Objective-C runtime"),
    ("_sel_registerName", "the Objective-C runtime"),
    ("_NSLog", "Foundation"),
    ("__NSConcrete", "the blocks runtime"),
    ("__Block_", "the blocks runtime"),
    ("_dispatch_", "Grand Central Dispatch"),
    ("__dispatch_", "Grand Central Dispatch"),
    ("_os_log", "the unified log"),
    ("__os_log", "the unified log"),
    ("_os_unfair_lock", "libplatform"),
    ("_CFRunLoop", "Core Foundation"),
    ("_CFString", "Core Foundation"),
    ("_CFRelease", "Core Foundation"),
    ("___CFConstantString", "Core Foundation"),
    ("_swift_", "the Swift runtime"),
    ("_mach_", "the Mach kernel"),
];

/// The facility that `symbol` is part of, if only Apple's systems have it.
pub(super) fn facility_of(symbol: &str) -> Option<&'static str> {
    FACILITIES.iter().find(|(prefix, _)| symbol.starts_with(prefix)).map(|(_, facility)| *facility)
}

/// The name of the library, as `-l` takes it, that defines `symbol` on most systems. A format's prefix of C names does not hide it.
pub(super) fn library_of(symbol: &str) -> Option<&'static str> {
    library_of_c_name(symbol).or_else(|| library_of_c_name(symbol.strip_prefix('_')?))
}

fn library_of_c_name(symbol: &str) -> Option<&'static str> {
    if let Some((library, _)) = NAMES.iter().find(|(_, names)| names.contains(&symbol)) {
        return Some(library);
    }
    let base = symbol.strip_suffix(['f', 'l']).unwrap_or(symbol);
    if MATHEMATICAL.contains(&symbol) || MATHEMATICAL.contains(&base) || symbol == "tgamma" {
        return Some("m");
    }
    PREFIXES.iter().find(|(prefix, _)| symbol.starts_with(prefix)).map(|(_, library)| *library)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_of_known_symbols() {
        for (symbol, library) in [
            ("sin", Some("m")),
            ("erf", Some("m")),
            ("cosf", Some("m")),
            ("fmal", Some("m")),
            ("sinister", None),
            ("deflate", Some("z")),
            ("pthread_create", Some("pthread")),
            ("_ZSt4cout", Some("stdc++")),
            ("_ZNSt3__14coutE", Some("c++")),
            ("_ZNSt6localeC1Ev", Some("stdc++")),
            ("_Znwm", Some("stdc++")),
            ("__cxa_throw", Some("stdc++")),
            ("omp_get_num_threads", Some("gomp")),
            ("__ubsan_handle_add_overflow", Some("ubsan")),
            ("_cos", Some("m")),
            ("__ZdlPv", Some("stdc++")),
            ("missing", None),
            ("_missing", None),
            ("", None),
        ] {
            assert_eq!(library_of(symbol), library, "{symbol}");
        }
    }

    #[test]
    fn facilities_that_no_library_brings() {
        assert_eq!(facility_of("_objc_msgSend"), Some("the Objective-C runtime"));
        assert_eq!(facility_of("objc_msgSend"), None);
        assert_eq!(facility_of("_puts"), None);
    }
}
