"""What seed text turns into before it is spoken."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.speakable import speakable
from pipeline.core.speakable.numerals import read_integer
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason

ENGLISH = (
    # numbers
    ("I have 3 cats.", "I have three cats."),
    ("1,250 books", "one thousand two hundred and fifty books"),
    ("about 3.14 or .5", "about three point one four or zero point five"),
    ("-5 and 007", "minus five and zero zero seven"),
    ("#1, No. 7", "number one, number seven"),
    ("the 1st, 2nd and 21st", "the first, second and twenty-first"),
    ("1/2 cup and 3/4 of it", "one half cup and three quarters of it"),
    ("2½ hours", "two and one half hours"),
    ("open 24/7", "open twenty-four seven"),
    ("3-5 days", "three to five days"),
    ("~50 people", "about fifty people"),
    ("9:00-11:30", "nine o'clock to eleven thirty"),
    ("a 4-year-old", "a four-year-old"),
    ("version 3.11.2", "version three point eleven point two"),
    ("５ apples", "five apples"),
    # money, percent
    ("$12.50", "twelve dollars and fifty cents"),
    ("$1 or $0.99", "one dollar or ninety-nine cents"),
    ("£1,000,000 or €20", "one million pounds or twenty euros"),
    ("$3.5 million", "three point five million dollars"),
    ("up 12.5%", "up twelve point five percent"),
    # clock and calendar
    ("at 3:30", "at three thirty"),
    ("at 9:05 a.m.", "at nine oh five AM."),
    ("at 10:00, at 22:00", "at ten o'clock, at twenty-two hundred hours"),
    ("7pm sharp", "seven PM sharp"),
    ("8 p.m. or later", "eight PM or later"),
    ("on 2024-05-01", "on May first, twenty twenty-four"),
    ("on 5/14/2023", "on May fourteenth, twenty twenty-three"),
    ("on 14/5/2023", "on May fourteenth, twenty twenty-three"),
    ("May 5th, 2019", "May fifth, twenty nineteen"),
    ("Jan. 3", "January third"),
    ("in 1984", "in nineteen eighty-four"),
    ("the 1990s and the '80s", "the nineteen nineties and the eighties"),
    # telephone
    ("call 555-123-4567", "call five five five one two three four five six seven"),
    ("call (555) 123-4567.", "call five five five one two three four five six seven."),
    ("dial 911", "dial nine one one"),
    # units
    ("20°C or 68 °F", "twenty degrees Celsius or sixty-eight degrees Fahrenheit"),
    ("10 km, 1 mi, 60 mph", "ten kilometers, one mile, sixty miles per hour"),
    ("5kg and 2 lbs", "five kilograms and two pounds"),
    ("5'11\"", "five foot eleven"),
    # letters and digits
    ("COVID-19, B2, 3D, TR1234", "COVID nineteen, B two, three D, TR one two three four"),
    # abbreviations
    ("Mr. and Mrs. Smith vs. Dr. Lee", "Mister and Missus Smith versus Doctor Lee"),
    ("fruit, e.g. apples, etc.", "fruit, for example, apples, et cetera."),
    ("42 Main St. near St. Mary", "forty-two Main Street near Saint Mary"),
    ("In the U.S. we do.", "In the US we do."),
    ("John F. Kennedy took plan B. Then I won.", "John F Kennedy took plan B. Then I won."),
    ("tea w/o milk", "tea without milk"),
    # symbols
    ("salt & pepper @ home", "salt and pepper at home"),
    ("1 + 2 = 3", "one plus two equals three"),
    ("he/she and/or they", "he or she and or they"),
    # what is not said
    ("Great \U0001f600 news :)", "Great news"),
    ("[laughs] *sighs* Well (coughs), yes.", "Well, yes."),
    ("It (the one that I told you about) works.", "It, the one that I told you about, works."),
    ("**So** <b>good</b>", "So good"),
    # punctuation
    ("\u201cHello,\u201d she said \u2014 it\u2019s \u2018fine\u2019.", "Hello, she said, it's fine."),
    ("Well... I mean\u2026 you know...", "Well. I mean, you know."),
    ("Really?! Wow!!!", "Really? Wow!"),
    ("I was going to-", "I was going to."),
    ("Um,I think so .Yes,\nsir", "Um, I think so. Yes, sir"),
    ("Uh, um, mm-hmm, oh!", "Uh, um, mm-hmm, oh!"),
    ("The café，really。", "The café, really."),
)

MANDARIN = (
    # numbers
    ("我有3个苹果。", "我有三个苹果。"),
    ("105和1005", "一百零五和一千零五"),
    ("10010，20010", "一万零一十，二万零一十"),
    ("12个，22个", "十二个，二十二个"),
    ("2个人，2天，2号", "两个人，两天，二号"),
    ("第1名，第2个", "第一名，第二个"),
    ("3.5亿，1万", "三点五亿，一万"),
    ("10,000元", "一万元"),
    ("-5度", "负五度"),
    ("1/2的人", "二分之一的人"),
    ("3-5天，3～5天", "三到五天，三到五天"),
    ("周一-周五，8:00-11:00", "周一到周五，八点到十一点"),
    ("比分3:2", "比分三比二"),
    ("~50人", "大约五十人"),
    # money, percent
    ("¥12.50", "十二点五元"),
    ("￥100，$5，€20", "一百元，五美元，二十欧元"),
    ("3.5元", "三点五元"),
    ("涨了50%", "涨了百分之五十"),
    ("30%-50%", "百分之三十到百分之五十"),
    # clock and calendar
    ("3:30见面", "三点半见面"),
    ("15:05出发", "十五点零五分出发"),
    ("8:00，2:00", "八点，两点"),
    ("晚上8点30分，2点半", "晚上八点三十分，两点半"),
    ("2024年5月1日", "二零二四年五月一日"),
    ("2024-05-01", "二零二四年五月一日"),
    ("02月03日", "二月三日"),
    ("98年", "九八年"),
    ("1990年代，90年代", "一九九零年代，九十年代"),
    ("2年前，10年", "两年前，十年"),
    # telephone
    ("电话是13800138000。", "电话是幺三八零零幺三八零零零。"),
    ("010-12345678", "零幺零幺二三四五六七八"),
    ("打110，花了110元", "打幺幺零，花了一百一十元"),
    # units
    ("今天20℃，38.5度", "今天二十摄氏度，三十八点五度"),
    ("5km，2kg，60km/h", "五公里，两公斤，六十公里每小时"),
    ("100m²，3cm", "一百平方米，三厘米"),
    # letters and digits
    ("B2层，iPhone15，5G，CA1234", "B二层，iPhone十五，五G，CA幺二三四"),
    ("我在U.S.A.工作", "我在USA工作"),
    # symbols
    ("A&B，1+1=2", "A和B，一加一等于二"),
    ("和/或，男/女", "或，男或女"),
    # what is not said
    ("（笑）好的～", "好的"),
    ("[笑]哈哈哈\U0001f600", "哈哈哈"),
    ("【旁白】你好", "你好"),
    ("（这个我昨天已经跟你说过了）对吧", "这个我昨天已经跟你说过了，对吧"),
    # punctuation
    ("你好,真的吗?", "你好，真的吗？"),
    ("\u201c你好\u201d，他说\u2014\u2014再见\u2026\u2026", "你好，他说，再见。"),
    ("嗯\u2026我不知道...", "嗯，我不知道。"),
    ("真的吗？？！！太好了！！", "真的吗？太好了！"),
    ("约翰·史密斯，《红楼梦》", "约翰史密斯，红楼梦"),
    ("你 好 吗 ? OK 我 用 iPhone", "你好吗？OK我用iPhone"),
    ("苹果、梨；香蕉：好吃", "苹果、梨；香蕉：好吃"),
    ("嗯，啊，哦，呃。", "嗯，啊，哦，呃。"),
    ("It's OK，我 know it 的", "It's OK，我know it的"),
)


@pytest.mark.parametrize(("written", "spoken"), ENGLISH)
def test_english_is_written_as_it_is_said(written: str, spoken: str) -> None:
    assert speakable(written, Language.EN) == spoken


@pytest.mark.parametrize(("written", "spoken"), MANDARIN)
def test_mandarin_is_written_as_it_is_said(written: str, spoken: str) -> None:
    assert speakable(written, Language.ZH) == spoken


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (Language.EN, "see https://example.org/x"),
        (Language.EN, "see example.com now"),
        (Language.EN, "write to jane.doe@example.org"),
        (Language.EN, "привет"),
        (Language.EN, "I said 你好"),
        (Language.EN, ""),
        (Language.EN, " ... "),
        (Language.EN, "(laughs) \U0001f600"),
        (Language.ZH, "请看www.example.cn"),
        (Language.ZH, "发到a@example.cn"),
        (Language.ZH, "こんにちは"),
        (Language.ZH, "……"),
        (Language.ZH, "（笑）"),
    ],
)
def test_what_would_be_a_guess_is_refused(language: Language, text: str) -> None:
    with pytest.raises(RecordError) as refusal:
        speakable(text, language)
    assert refusal.value.reason is Reason.UNSPEAKABLE_TEXT
    assert (
        repr(text) in refusal.value.detail
        or "URL" in refusal.value.detail
        or "e-mail" in refusal.value.detail
    )


@pytest.mark.parametrize(
    ("digits", "spoken"),
    [
        ("0", "零"),
        ("10", "十"),
        ("111", "一百一十一"),
        ("1001", "一千零一"),
        ("100010", "十万零一十"),
        ("10000001", "一千万零一"),
        ("120003400", "一亿二千万三千四百"),
        ("100000000", "一亿"),
        ("007", "零零七"),
    ],
)
def test_integers_are_read_in_groups_of_four(digits: str, spoken: str) -> None:
    assert read_integer(digits) == spoken


PIECES = (
    *(written for written, _ in ENGLISH + MANDARIN),
    *" .,?!;:'\"-\u2014\u2026()[]*_~/&%$#@+=<>\u2019\u201c，。？！、：；《》0123456789abcXYZ你好",
)
ALLOWED = {
    Language.EN: re.compile(r"(?:[^\W\d_]|['\-,.?!;: ])+"),
    Language.ZH: re.compile(r"(?:[^\W\d_]|[\u3007'\-，。？！；：、 ])+"),
}


@settings(max_examples=300, deadline=None)
@given(
    text=st.one_of(st.text(max_size=40), st.lists(st.sampled_from(PIECES), max_size=12).map("".join)),
    language=st.sampled_from(Language),
)
def test_speakable_text_stays_as_it_is(text: str, language: Language) -> None:
    try:
        once = speakable(text, language)
    except RecordError:
        return
    assert speakable(once, language) == once
    assert ALLOWED[language].fullmatch(once)
