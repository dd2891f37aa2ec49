//! The rules in the lines of a file.

/// The rules of `text`, in order: lines that begin with `# NAME:` behind white space. A backslash at the end joins the next line, if
/// that is a rule's too; empty lines do not count.
pub(super) fn read(text: &str, name: &str) -> Vec<String> {
    let prefix = format!("# {name}:");
    let mut rules = Vec::new();
    let mut rule = String::new();
    let mut goes_on = false;
    let mut end = |rule: &mut String| {
        let complete = std::mem::take(rule);
        if !complete.trim().is_empty() {
            rules.push(complete.trim().to_string());
        }
    };
    for line in text.lines().map(str::trim_start).filter(|line| !line.is_empty()) {
        let Some(body) = line.strip_prefix(&prefix) else {
            if std::mem::take(&mut goes_on) {
                end(&mut rule);
            }
            continue;
        };
        match body.trim_end().strip_suffix('\\') {
            Some(part) => {
                rule.push_str(part);
                goes_on = true;
            }
            None => {
                rule.push_str(body);
                goes_on = false;
                end(&mut rule);
            }
        }
    }
    if goes_on {
        end(&mut rule);
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::read;

    #[track_caller]
    fn assert_rules(text: &str, rules: &[&str]) {
        assert_eq!(read(text, "jitlink-check"), rules);
    }

    #[test]
    fn a_rule_begins_behind_white_space_with_the_whole_prefix() {
        assert_rules("# jitlink-check: a = b\n \t# jitlink-check:c\n", &["a = b", "c"]);
        for other in
            ["#jitlink-check: a", "; jitlink-check: a", "// # jitlink-check: a", "#  jitlink-check: a", "# check: a"]
        {
            assert_rules(other, &[]);
        }
        assert_eq!(read("# rtdyld-check: a\n# jitlink-check: b", "rtdyld-check"), ["a"]);
    }

    #[test]
    fn a_backslash_joins_lines_of_rules_only() {
        assert_rules("# jitlink-check: a = \\\n\n# jitlink-check:   b\n", &["a =    b"]);
        assert_rules("# jitlink-check: a = \\\nnop\n# jitlink-check: b\n", &["a =", "b"]);
        assert_rules("# jitlink-check: a = \\", &["a ="]);
    }

    #[test]
    fn nothing_behind_the_prefix_is_no_rule() {
        assert_rules("# jitlink-check:\n# jitlink-check:  \\\n# jitlink-check: \n", &[]);
    }
}
