//! When two names are one to a person who reads them: case, white space and forms of the same letters aside.

use unicode_normalization::UnicodeNormalization as _;

use super::untrusted::is_hostile;

/// Returns the rest of a name after removing everything that nobody sees or says: compatibility forms (NFKC), case,
/// characters without width, and all white space but one space between words.
pub fn folded(name: &str) -> String {
    let plain: String = name.nfkc().filter(|c| c.is_whitespace() || !is_hostile(*c)).collect();
    // By way of capitals: `ß` and `SS` have one capital form, and so do the letters that have two small ones.
    let small = plain.to_uppercase().to_lowercase();
    let words: Vec<String> = small.nfkc().collect::<String>().split_whitespace().map(str::to_owned).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_takes_for_one_name_is_one() {
        for other in [
            "UK Retail",
            "uk retail",
            " UK Retail ",
            "UK  Retail",
            "UK\u{a0}Retail",
            "UK\tRetail",
            "Uk\u{2003}retail\n",
            "U\u{200b}K Retail",
            "\u{ff35}\u{ff2b} Retail",
            "UK Re\u{ad}tail",
            "\u{202e}UK Retail",
        ] {
            assert_eq!(folded(other), "uk retail", "{other:?}");
        }
        assert_eq!(folded("Cafe\u{301}"), folded("CAF\u{c9}"));
        assert_eq!(folded("Straße"), folded("STRASSE"));
        assert_eq!(folded("ΟΔΟΣ"), folded("οδος"));
        assert_eq!(folded("ﬁrma"), "firma");
        assert_eq!(folded(""), "");
    }

    #[test]
    fn other_names_stay_other_names() {
        let names =
            ["UK Retail", "UK Retail 2", "UKRetail", "UK-Retail", "UK Rétail", "U K Retail", "Retail UK", "ÜK Retail"];
        for (i, one) in names.iter().enumerate() {
            for other in names.iter().skip(i + 1) {
                assert_ne!(folded(one), folded(other), "{one} {other}");
            }
        }
    }
}
