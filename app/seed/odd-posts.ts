import type { Post } from './post.ts';

/** Posts in other scripts and directions, and some that would break a page which does not escape. */
export const ODD_POSTS: readonly Pick<Post, 'topic' | 'lang' | 'title' | 'summary' | 'body'>[] = [
  {
    topic: 'workshop',
    lang: 'en',
    title: `The label said "O'Brien & Sons <Ltd>", and nothing else`,
    summary: 'A brass plate, a pair of brackets, and a company that nobody in town remembers.',
    body: `A brass plate, a pair of brackets, and a company that nobody in town remembers.

I rubbed it with vinegar & salt until the letters came up: "O'Brien & Sons <Ltd>". The brackets are theirs, not mine. The clerk at the archive typed it in twice and was told, both times, that <Ltd> is not a name.

If 3 < 5 and 5 > 3, there must be a ledger somewhere between them.`,
  },
  {
    topic: 'kitchen',
    lang: 'ar',
    title: 'أول رغيف خبز في مطبخي الجديد',
    summary: 'احترق من تحت ولم ينضج من فوق، ومع ذلك أكلناه كله.',
    body: `احترق من تحت ولم ينضج من فوق، ومع ذلك أكلناه كله.

الفرن قديم ولا يعرف إلا درجة واحدة. وضعت الرغيف على حجر، وانتظرت عشرين دقيقة، وفتحت النافذة.

في المرة القادمة سأستخدم 350 غراماً من الماء بدلاً من 400.`,
  },
  {
    topic: 'neighbours',
    lang: 'en',
    title: '🐢 Found: one tortoise, answers to nothing',
    summary: 'Walked into the courtyard at ten past four, at its usual speed. Likes dandelions 🌼.',
    body: `Walked into the courtyard at ten past four, at its usual speed. Likes dandelions 🌼.

It is the size of a soup plate and has a small “7” painted on the shell. It is now in the bath of flat 12 👩🏽‍🦳 with the light on, and three children are reading to it in turns 👧🏾👦🏻👧🏼.

Please ring twice.`,
  },
  {
    topic: 'workshop',
    lang: 'he',
    title: 'הרדיו של סבתא מנגן שוב',
    summary: 'שלושה ערבים, שני קבלים ומברג אחד שנעלם ונמצא בכיס.',
    body: `שלושה ערבים, שני קבלים ומברג אחד שנעלם ונמצא בכיס.

הוא לא ניגן מאז 1974. פתחתי אותו בזהירות, צילמתי כל צעד, ובסוף התברר שזה היה רק חוט אחד (red, 0.5 mm).

הצליל חם כמו שזכרתי.`,
  },
  {
    topic: 'books',
    lang: 'en',
    title: `A book that is really called <script>alert("chapter one")</script>`,
    summary: 'The shop could not find it. Every time they typed the title, the till froze.',
    body: `The shop could not find it. Every time they typed the title, the till froze.

It is a slim thing, forty pages, about a typesetter who trusts nobody. Chapter two is called </article>, and chapter three is "' OR 1=1 --", which I am told is a joke.

I paid in coins.`,
  },
  {
    topic: 'garden',
    lang: 'ja',
    title: 'ベランダの小さな菜園、三年目',
    summary: '今年は紫蘇が強い。トマトは二個だけ、でも甘い。',
    body: `今年は紫蘇が強い。トマトは二個だけ、でも甘い。

鉢は五つ、日当たりは午前中だけ。水は朝の六時、雨の日は休み。

隣のおばあさんが茗荷を分けてくれた。`,
  },
  {
    topic: 'walks',
    lang: 'de',
    title: 'Über die Höhe nach Süden, bei „schönem“ Wetter',
    summary: 'Fünf Stunden Nebel, dann für zehn Minuten die Alpen, dann Streuselkuchen.',
    body: `Fünf Stunden Nebel, dann für zehn Minuten die Alpen, dann Streuselkuchen.

Der Weg heißt auf der Karte „Höhenweg“ und ist es auch, wenn man das Tal nicht mitzählt. Nach Regen lieber außen herum.

Grüße aus der Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft.`,
  },
  {
    topic: 'kitchen',
    lang: 'en',
    title: 'How do you write ½ < ¾ & "al dente" on a very small jar?',
    summary: 'I have a pen, a label the size of a stamp, & strong feelings about quotation marks.',
    body: `I have a pen, a label the size of a stamp, & strong feelings about quotation marks.

So far: ½<¾&"a.d." It looks like a password. My sister suggests a drawing.

Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, said the pen.`,
  },
  {
    topic: 'music',
    lang: 'es',
    title: '¿Quién le enseñó a tocar el acordeón al señor Ibáñez?',
    summary: 'Una pregunta sencilla, tres respuestas y una botella de anís.',
    body: `Una pregunta sencilla, tres respuestas y una botella de anís.

Él dice que fue su tía. Su tía dice que fue la radio. La radio, como siempre, no dice nada.

El domingo, a las cinco, en el patio.`,
  },
];
