"""What the ten scenes of HumDial Track 2 are called, and who speaks in which order, in each of its worlds."""

from dataclasses import dataclass

from pipeline.core.exports.manifest import Layout
from pipeline.domain.labels import Language, Speaker
from pipeline.domain.scene import Scene

_USER, _ASSISTANT, _THIRD = Speaker.USER, Speaker.ASSISTANT, Speaker.THIRD_PARTY
_INTERRUPTED = (_USER, _ASSISTANT, _USER, _ASSISTANT)


@dataclass(frozen=True, slots=True)
class SceneNames:
    """One row of the official table of names."""

    scene: Scene
    train: str
    """Directory in the train package; with spaces, as in the dev package."""
    dev: str
    evaluation: str
    """Folder that the official scripts open by default; with underscores."""
    test: str
    """Category in the public release of the test set."""
    speakers: tuple[Speaker, ...]
    """Order of the turns in train; dev and test annotate those that are not the assistant's."""

    @property
    def user_side(self) -> tuple[Speaker, ...]:
        """Order of the turns that the user's microphone hears."""
        return tuple(speaker for speaker in self.speakers if speaker is not _ASSISTANT)


def _row(
    scene: Scene, dev: str, test: str, speakers: tuple[Speaker, ...], train: str = "", evaluation: str = ""
) -> SceneNames:
    return SceneNames(scene, train or dev, dev, evaluation or dev.replace(" ", "_"), test, speakers)


# Train has one directory for third-party speech, before and after, and officially none for speech directed
# at others: ours is an addition. `Directe` is how the official scripts spell it.
TRACK2_NAMES: tuple[SceneNames, ...] = (
    _row(Scene.FOLLOW_UP_QUESTION, "Follow-up Questions", "ask", _INTERRUPTED),
    _row(Scene.NEGATION_OR_DISSATISFACTION, "Negation or Dissatisfaction", "deny", _INTERRUPTED),
    _row(Scene.REPETITION_REQUEST, "Repetition Requests", "repeat", _INTERRUPTED),
    _row(Scene.TOPIC_SWITCHING, "Topic Switching", "shift", _INTERRUPTED),
    _row(Scene.SILENCE_OR_TERMINATION, "Silence or Termination", "wait", _INTERRUPTED),
    _row(Scene.USER_BACKCHANNEL, "User Real-time Backchannels", "backchannel", (_USER, _ASSISTANT, _USER)),
    _row(Scene.PAUSE_HANDLING, "Pause Handling", "pause", (_USER, _ASSISTANT)),
    _row(
        Scene.THIRD_PARTY_BEFORE,
        "Third-party Speech_before",
        "others_talk_to_user_before",
        (_THIRD, _USER, _ASSISTANT),
        train="Third-party Speech",
    ),
    _row(
        Scene.THIRD_PARTY_AFTER,
        "Third-party Speech_after",
        "others_talk_to_user_after",
        (_USER, _ASSISTANT, _THIRD),
        train="Third-party Speech",
    ),
    _row(
        Scene.DIRECTED_AT_OTHERS,
        "Speech Directed at Others",
        "talk_to_others",
        (_USER, _ASSISTANT, _USER, _ASSISTANT, _USER),
        evaluation="Speech_Directe_at_Others",
    ),
)


def names_of(scene: Scene) -> SceneNames:
    """The row of one scene."""
    return next(row for row in TRACK2_NAMES if row.scene is scene)


def directory_of(scene: Scene, language: Language, layout: Layout) -> str:
    """Where the official package of a layout keeps a scene.

    >>> directory_of(Scene.PAUSE_HANDLING, Language.ZH, Layout.TEST)
    'test/cn_test_nondev/pause'
    """
    names = names_of(scene)
    if layout is Layout.TEST:
        return f"test/{'cn' if language is Language.ZH else 'en'}_test_nondev/{names.test}"
    package = f"HD-Track2/HD-Track2-{layout.value}/HD-Track2-{layout.value}-{language.value}"
    return f"{package}/{names.train if layout is Layout.TRAIN else names.dev}"


def evaluation_root(language: Language, layout: Layout) -> str:
    """A working directory for the official scripts, which open `./dev/<Folder>`.

    One per language and layout: they average over whatever lies in a folder, and scores are per language.
    """
    return f"evaluation/{layout.value}-{language.value}/dev"
