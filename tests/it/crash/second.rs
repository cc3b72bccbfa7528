//! A second home of a key, into which nobody can look, that strikes the run which delivers there: the first home has the key by then.

use std::fmt;

use super::actor::Actor;
use super::judge;
use super::place::Runner;
use super::scene::Scene;
use crate::stage::APPLY;

/// What the second home's program does, once, for one key.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trouble {
    /// It kills the run that started it, and stores nothing.
    Kills,
    /// It stores, and then kills the run.
    StoresAndKills,
    /// It says that it has stored nothing.
    Refuses,
    /// It ends in a way that says nothing.
    Unclear,
    /// It stores, and ends in a way that says nothing.
    StoresUnclear,
}

#[derive(Clone, Debug)]
pub(super) struct SecondHome {
    key: &'static str,
    trouble: Trouble,
}

/// The part of the program that strikes; what follows it stores.
pub(super) const STRIKES: &str = r#"strike=../strike-$QLIK_PLAN_KEY
word=; [ ! -e "$strike" ] || { word=$(cat "$strike"); rm "$strike"; }
case $word in
    kills) kill -9 "$PPID"; exit 1 ;;
    refuses) cat > /dev/null; exit 110 ;;
    unclear) cat > /dev/null; exit 7 ;;
esac
"#;
pub(super) const STRIKES_AFTER: &str = r#"case $word in
    stores-and-kills) kill -9 "$PPID"; exit 1 ;;
    stores-unclear) exit 7 ;;
esac
"#;

impl Trouble {
    const ALL: [Self; 5] = [Self::Kills, Self::StoresAndKills, Self::Refuses, Self::Unclear, Self::StoresUnclear];

    fn word(self) -> &'static str {
        match self {
            Self::Kills => "kills",
            Self::StoresAndKills => "stores-and-kills",
            Self::Refuses => "refuses",
            Self::Unclear => "unclear",
            Self::StoresUnclear => "stores-unclear",
        }
    }

    fn is_a_kill(self) -> bool {
        match self {
            Self::Kills | Self::StoresAndKills => true,
            Self::Refuses | Self::Unclear | Self::StoresUnclear => false,
        }
    }
}

impl fmt::Display for SecondHome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the second home of {}: {}", self.key, self.trouble.word())
    }
}

impl SecondHome {
    /// Every trouble, for each key.
    pub(super) fn all(scene: &Scene) -> Vec<Self> {
        let of = |key: &&'static str| Trouble::ALL.map(|trouble| Self { key, trouble });
        scene.keys.iter().flat_map(of).collect()
    }

    pub(super) fn strike(&self, actor: &Actor, scene: &Scene) {
        let flag = actor.stage.dir().join(format!("strike-{}", self.key));
        std::fs::write(&flag, self.trouble.word()).unwrap();
        let run = actor.runs_as(Runner::First, APPLY, &["--yes"]);
        assert!(!flag.exists(), "nothing was delivered there:\n{}", run.all());
        if self.trouble.is_a_kill() {
            assert_eq!(run.code, None, "{}", run.all());
            return;
        }
        assert_eq!(run.code, Some(1), "a key that one home may lack was called delivered:\n{}", run.all());
        judge::disturbed(actor, scene, &run);
    }
}
