"""Splits of SoundSpaces scenes: train, val and test.

Matterport3D has a published split, which SoundSpaces keeps. For Replica this is one of our own:
the six frl_apartments are one flat furnished in six ways, so they stay on one side. A procedural
dwelling that was exported stays in the split that it was drawn for. Any other scene falls into a
split by its name alone: by the SHA-256 of the name, six of ten for training and two each for
validation and test. So the split of a scene does not depend on other files.
"""

import hashlib

from av_envs.scene.procedural.splits import split_of_dwelling

MP3D = {
    "train": """
        17DRP5sb8fy 1LXtFkjw3qL 1pXnuDYAj8r 29hnd4uzFmX 2n8kARJN3HM 5LpN3gDmAk7 5q7pvUzZiYa
        759xd9YjKW5 7y3sRwLe3Va 82sE5b5pLXE 8WUmhLawc2A B6ByNegPMKs D7G3Y4RVNrH D7N2EKCX4Sj
        E9uDoFAP3SH EDJbREhghzL GdvgFV5R1Z5 HxpKQynjfin JF19kD82Mey JeFG25nYj2p JmbYfDe2QKZ
        PX4nDJXEHrG Pm6F8kyY3z2 PuKPg4mmafe S9hNv5qa7GM SN83YJsR3w2 ULsKaCPVFJR Uxmj2M2itWa
        V2XKFyX4ASd VFuaQ6m2Qom VLzqgDo317F VVfe2KiqLaN Vvot9Ly1tCj VzqfbhrpDEA XcA2TqTSSAj
        YmJkqBEsHnH ZMojNkEp431 aayBHfsNo7d ac26ZMwG7aT b8cTxDM8gDG cV4RVeZvu5T e9zR4mvMWw7
        gTV8FGcVJC9 i5noydFURQK jh4fc5c5qoQ kEZ7cmS4wCh mJXqzFtmKg4 p5wJjkQkbXX pRbA3pwrgk9
        qoiz87JEwZ2 r1Q1Z4BcV1o r47D5H71a5s rPc6DW4iMge s8pcmisQ38h sKLMLpTHeUy sT4fr6TAbpF
        uNb9QFRL6hY ur6pFq6Qu1A vyrNrziPKCB
    """,
    "val": """
        2azQ1b91cZZ 8194nk5LbLH EU6Fwq7SyZv QUCTc6BB5sX TbHJrupSAjP X7HyMhZNoso Z6MFQCViBuw
        oLBMNvg9in8 pLe4wQe7qrG x8F5xyUWy9e zsNo4HB9uLZ
    """,
    "test": """
        5ZKStnWn8Zo ARNzJeq3xxb UwV83HsGsw3 Vt2qJdWjCF2 WYY7iVyf5p8 YFuZgdQ5vWj fzynW3qQPVF
        gYvKGZ5eRqb gxdoqLR6rwA jtcxE69GiFV pa4otMbVnkk q9vSo1VnCiC rqfALeAoiTq wc2JMjhGNzB
        yqstnuAEVhm
    """,
}
REPLICA = {
    "train": """
        apartment_0 frl_apartment_0 frl_apartment_1 frl_apartment_2 frl_apartment_3
        frl_apartment_4 frl_apartment_5 hotel_0 office_0 office_1 office_2 room_0
    """,
    "val": """
        apartment_1 office_3 room_1
    """,
    "test": """
        apartment_2 office_4 room_2
    """,
}
OTHERS = ("train",) * 6 + ("val",) * 2 + ("test",) * 2

_KNOWN = {
    scene: split
    for table in (MP3D, REPLICA)
    for split, scenes in table.items()
    for scene in scenes.split()
}


def split_of(scene: str) -> str:
    """Train, val or test."""
    split = _KNOWN.get(scene) or split_of_dwelling(scene)
    if split is not None:
        return split
    return OTHERS[int(hashlib.sha256(scene.encode()).hexdigest(), 16) % len(OTHERS)]
