"""Whose voice a sentence is, in the scripts that we meet."""

from __future__ import annotations

import pytest

from pipeline.sentences import sentences
from pipeline.voice import LONGEST, Voice, voice_of

OWN = Voice(voice="own")


def voices(text: str) -> list[Voice]:
    return [voice_of(text, span) for span in sentences(text)]


@pytest.mark.parametrize(
    ("text", "voice", "speaker"),
    [
        (
            '"We cannot leave this to the companies," said Vera Halloran, the minister for digital affairs of Ruritania.',
            "quoted",
            "minister for digital affairs of Ruritania",
        ),
        ("The European Commission warned that the pact would do little.", "reported", "European Commission"),
        ("Critics say the plan is a giveaway.", "reported", "Critics"),
        ("On Monday Senator Dana Whitlock said the controls should stay.", "reported", "Senator"),
        ("US Commerce Secretary Ann Poe told a panel that licences would be cut.", "reported", "US Commerce Secretary"),
        ("The Center for Digital Justice, a think tank, urged a ban.", "reported", "Center for Digital Justice"),
        ("He warned that it was too late.", "reported", None),
        ("Scientists of the coast urged the United Nations to act.", "reported", "Scientists"),
        ("She told the House Committee on Science that a ban was overdue.", "reported", None),
        ("According to the Chamber of Commerce, the bill is dead.", "reported", "Chamber of Commerce"),
        ("Los controles dividen el mundo, agregó la portavoz.", "reported", "portavoz"),
        (
            "港口联盟委员会负责数字事务的副主席安某说：“规则太多，必须减少，企业才能前进。”",
            "quoted",
            "港口联盟委员会负责数字事务的副主席",
        ),
        ("据海岛国商务部表示，新规下月生效。", "reported", "海岛国商务部"),
        ("海岛国总统府一名官员表示，峰会将如期举行。", "reported", "海岛国总统府一名官员"),
        ("他在演说中表示，需要国会尽快通过法案。", "reported", None),
        ("有学者指出，联合国是唯一具有普遍代表性的机构。", "reported", "有学者"),
        ("专家认为，立法不宜过早。", "reported", "专家"),
        ("外交部发言人李安然26日表示，反对泛化国家安全概念。", "reported", "外交部发言人"),
        ("「規制は遅すぎた」と東都大学の山田教授は述べた。", "quoted", "東都大学"),
        ("« Il faut un traité universel », a déclaré la ministre du Numérique.", "quoted", "ministre du Numérique"),
        (
            "Según la portavoz del Ministerio de Ciencia, falta una ley.",
            "reported",
            "portavoz del Ministerio de Ciencia",
        ),
        ("„Wir brauchen ein Gesetz“, sagte der Digitalminister.", "quoted", "Digitalminister"),
        ("Il garante ha detto che la legge va rinviata.", "reported", "garante"),
        ("O ministro da Ciência disse que a lei é necessária.", "reported", "ministro da Ciência"),
        ("Министр иностранных дел заявил, что контроль надо отменить.", "reported", "Министр иностранных дел"),
        ("قال وزير الخارجية إن القيود غير عادلة.", "reported", "وزير الخارجية"),
    ],
)
def test_speech_of_others_is_told_apart_and_its_speaker_named(text: str, voice: str, speaker: str | None) -> None:
    assert voices(text) == [Voice(voice=voice, speaker=speaker)]


@pytest.mark.parametrize(
    "text",
    [
        "Every country should have a seat at the table.",
        "We urge governments to act.",
        "The United States should end the blanket restrictions.",
        "联合国是唯一具有普遍代表性的机构。",
        "This paper argues that the controls should be widened.",
        'The so-called "small yard" is a failure.',
        "人工智能的规则应当由各国共同制定。",
        "笔者认为，立法不宜过早。",
        "",
    ],
)
def test_the_documents_own_voice(text: str) -> None:
    assert all(voice == OWN for voice in voices(text))


def test_a_quotation_goes_on_over_sentences_and_takes_its_speaker_from_beside_it() -> None:
    text = (
        "Foreign ministry spokesperson Li Anran told reporters that the controls hurt everyone. "
        "“They were a mistake. They should be lifted at once,” she added.\nThe talks go on in May."
    )
    ministry = "Foreign ministry spokesperson"
    assert voices(text) == [
        Voice(voice="reported", speaker=ministry), Voice(voice="quoted", speaker=ministry),
        Voice(voice="quoted", speaker=ministry), OWN,
    ]  # fmt: skip


def test_no_person_is_named() -> None:
    for text in (
        "Dana Whitlock said that a law was overdue.",
        "“A law is overdue,” said Whitlock. Nobody objected.",
        "The Minister of Foreign Affairs Dana Whitlock said that a law was overdue.",
        "The Director of the Office of Science and Technology Policy Dana Whitlock said so.",
        "The spokesperson for the Ministry of Trade Whitlock said so.",
    ):
        assert all("Whitlock" not in (voice.speaker or "") for voice in voices(text))


@pytest.mark.parametrize("text", ['"' * 50_000, "Minister of " * 20_000, "The " * 50_000 + "said", "“" + "a" * 100_000])
def test_hostile_text_is_bounded(text: str) -> None:
    found = voice_of(text, (0, len(text)))
    assert len(found.speaker or "") <= LONGEST
