use super::*;
use crate::link::macho::stub;

const V3: &str = "\
--- !tapi-tbd-v3
archs:           [ x86_64, arm64 ]
platform:        macosx
install-name:    '/usr/lib/libdemo.dylib'
exports:
  - archs:           [ x86_64, arm64 ]
    symbols:         [ _both, '_quoted$name',
                       _next_line ]
    weak-def-symbols: [ _weak ]
    objc-classes:    [ _Thing ]
  - archs:           [ arm64 ]
    symbols:         [ _arm_only ]
...
";

const V4: &str = "\
# made by hand
--- !tapi-tbd
tbd-version:     4
targets:         [ x86_64-macos, arm64-macos, arm64e-macos ]
install-name:    /usr/lib/libdemo.dylib
reexported-libraries:
  - targets:     [ x86_64-macos ]
    libraries:   [ /usr/lib/libinner.dylib ]
exports:
  - targets:     [ x86_64-macos ]
    symbols:     [ _x86_only ]
    thread-local-symbols: [ _variable ]
    objc-eh-types: [ Thing ]
    objc-ivars:  [ Thing.count ]
reexports:
  - targets:     [ x86_64-macos, arm64-macos ]
    symbols:     [ _again ]
--- !tapi-tbd
tbd-version:     4
targets:         [ x86_64-macos ]
install-name:    /usr/lib/libinner.dylib
exports:
  - targets:     [ x86_64-macos ]
    symbols:     [ _inner ]
...
";

const V5: &str = r#"{
	"tapi_tbd_version": 5,
	"main_library": {
		"target_info": [ {"target": "x86_64-macos", "min_deployment": "13"}, {"target":"arm64-macos"} ],
		"install_names": [{"name":"/usr/lib/libdemo.dylib"}],
		"exported_symbols": [
			{"targets": ["x86_64-macos"], "data": {"global": ["_data"], "objc_class": ["Thing"]}},
			{"text": {"global": ["_text"], "weak": ["_weak"], "thread_local": ["_variable"]}}
		]
	},
	"libraries": [ { "target_info": [], "exported_symbols": [ {"text": {"global": ["_inner"]}} ] } ]
}"#;

fn read_for(arch: Arch, text: &'static str) -> Result<StubLibrary> {
    let target = Target::new(arch, Format::MachO);
    stub::read("lib.tbd", text.as_bytes(), target).map(|stub| stub.expect("a stub"))
}

fn symbols(arch: Arch, text: &'static str) -> Vec<String> {
    let stub = read_for(arch, text).unwrap();
    assert_eq!(stub.install_name, "/usr/lib/libdemo.dylib");
    stub.symbols.into_iter().map(|symbol| String::from_utf8(symbol).unwrap()).collect()
}

#[test]
fn version_3_lists_by_architecture() {
    let both = ["_OBJC_CLASS_$_Thing", "_OBJC_METACLASS_$_Thing", "_both", "_next_line", "_quoted$name", "_weak"];
    assert_eq!(symbols(Arch::X86_64, V3), both);
    let arm = symbols(Arch::Aarch64, V3);
    assert!(arm.contains(&"_arm_only".to_string()) && arm.len() == both.len() + 1);
}

#[test]
fn version_4_lists_by_target_and_carries_reexported_libraries() {
    let expected = ["_OBJC_EHTYPE_$_Thing", "_OBJC_IVAR_$_Thing.count", "_again", "_inner", "_variable", "_x86_only"];
    assert_eq!(symbols(Arch::X86_64, V4), expected);
    assert_eq!(symbols(Arch::Aarch64, V4), ["_again"]);
}

#[test]
fn version_5_is_json() {
    let expected = ["_OBJC_CLASS_$_Thing", "_OBJC_METACLASS_$_Thing", "_data", "_inner", "_text", "_variable", "_weak"];
    assert_eq!(symbols(Arch::X86_64, V5), expected);
    assert_eq!(symbols(Arch::Aarch64, V5), ["_inner", "_text", "_variable", "_weak"]);
}

#[test]
fn what_cannot_be_read_is_an_error() {
    for (text, message) in [
        ("--- !tapi-tbd\ntbd-version: 6\n...\n", "lib.tbd is a text stub of version '6'; versions 2 to 5 can be read"),
        ("--- !tapi-tbd-v3\narchs: [ i386 ]\n", "lib.tbd is a text stub for i386, not for x86_64-apple-darwin"),
        ("--- !tapi-tbd-v3\narchs: [ x86_64\n", "In lib.tbd, text stub: "),
        (
            "--- !tapi-tbd-v3\narchs: &a [ x86_64 ]\nexports: *a\n",
            "In lib.tbd, text stub: line 3: stubs have no aliases",
        ),
        (
            "--- !tapi-tbd-v3\n[[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]]\n",
            "In lib.tbd, text stub: line 2: values nest too deep",
        ),
        ("{ \"tapi_tbd_version\": 7 }", "lib.tbd is a text stub of version '7'; versions 2 to 5 can be read"),
    ] {
        let error = read_for(Arch::X86_64, text).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn other_text_is_no_stub() {
    for text in ["", "---\n", "{ \"version\": 5 }", "INPUT(-lc)", "int main;"] {
        assert!(!is_text_stub(text.as_bytes()), "{text}");
    }
}
