"""What a seed dialogue is about, by the words that give it away."""

import re

from pipeline.core.tokens import words_of
from pipeline.domain.emotional import Topic
from pipeline.domain.labels import Language
from pipeline.domain.seed import SeedDialogue

_EN = {
    Topic.WORK: "job boss office colleague coworker manager interview salary shift client promotion fired career",
    Topic.STUDY: "school exam class teacher college university homework student grade thesis professor course test",
    Topic.FAMILY: "mother father mom mum dad sister brother son daughter parents grandma grandpa aunt uncle family",
    Topic.FRIENDS: "friend friends party roommate buddy classmate neighbour neighbor invited birthday",
    Topic.LOVE: "girlfriend boyfriend wife husband date marriage wedding married divorce love fiance breakup",
    Topic.HOME: "house apartment flat kitchen room landlord rent roof furniture garden cook cooking dinner cake",
    Topic.HEALTH: "doctor hospital sick ill pain surgery medicine dentist fever headache nurse symptoms sleep",
    Topic.MONEY: "money bank pay debt bill loan price savings cash credit cost tax lottery insurance",
    Topic.TRAVEL: "trip flight airport hotel vacation holiday train travel beach passport luggage plane ticket",
    Topic.PETS: "dog cat puppy kitten pet bird hamster vet rabbit fish",
    Topic.LEISURE: "movie film music game concert football soccer guitar book hike team match sport song show",
    Topic.TOWN: "bus car traffic street police store shop shopping restaurant taxi parking city weather snow",
}
_ZH = {
    Topic.WORK: "工作 公司 老板 同事 领导 面试 工资 加班 客户 辞职 升职 上班",
    Topic.STUDY: "学校 考试 老师 上课 作业 大学 论文 同学 成绩 学习 高考 专业",
    Topic.FAMILY: "妈妈 爸爸 父母 爷爷 奶奶 姐姐 妹妹 哥哥 弟弟 儿子 女儿 家人 孩子",
    Topic.FRIENDS: "朋友 室友 聚会 闺蜜 哥们 邻居 生日",
    Topic.LOVE: "男朋友 女朋友 老公 老婆 结婚 分手 恋爱 离婚 对象 喜欢你",
    Topic.HOME: "房子 房东 租房 厨房 做饭 家里 装修 搬家 家具 房间 蛋糕",
    Topic.HEALTH: "医生 医院 生病 难受 手术 吃药 发烧 头疼 失眠 感冒 身体",
    Topic.MONEY: "钱 银行 工资卡 贷款 账单 存款 价格 信用卡 便宜 打折",
    Topic.TRAVEL: "旅行 旅游 机场 飞机 酒店 火车 高铁 景点 签证 行李 故宫 门票",
    Topic.PETS: "狗 猫 宠物 小狗 小猫 兔子 仓鼠",
    Topic.LEISURE: "电影 音乐 游戏 演唱会 足球 篮球 比赛 唱歌 导演 主演 专辑 小说",
    Topic.TOWN: "公交 地铁 堵车 出租车 警察 商场 超市 餐馆 饭店 天气 下雨 停车",
}
_CUES = {
    Language.EN: {cue: topic for topic, cues in _EN.items() for cue in cues.split()},
    Language.ZH: {cue: topic for topic, cues in _ZH.items() for cue in cues.split()},
}
_CHINESE_CUE = re.compile("|".join(sorted(_CUES[Language.ZH], key=len, reverse=True)))


def topic_of(seed: SeedDialogue) -> Topic | None:
    """The topic whose words occur most; None where none does, or two as often."""
    text = " ".join((seed.topic or "", *(turn.text for turn in seed.turns)))
    if seed.language is Language.ZH:
        found = _CHINESE_CUE.findall(text)
    else:
        found = [word for word in map(str.lower, words_of(text)) if word in _CUES[Language.EN]]
    counts: dict[Topic, int] = {}
    for cue in found:
        topic = _CUES[seed.language][cue]
        counts[topic] = counts.get(topic, 0) + 1
    ranked = sorted(counts.items(), key=lambda item: -item[1])
    if not ranked or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]
