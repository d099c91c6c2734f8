import { type Random, random } from './random.ts';

export interface Person {
  readonly handle: string;
  readonly name: string;
  readonly place: string;
  readonly bio: string;
}

/** Given and family names that go together; one person in eight has parents from two of the lists. */
const NAMES: readonly (readonly [given: string, family: string])[] = [
  [
    'Ada Alice Arthur Beatrix Callum Cora Edith Ewan Finn Fiona George Greta Harriet Hugh Iris Isla Joan Laurie Mabel Niamh Oscar Orla Rhys Rosalind Rowan Saoirse Theo Tilda Wilfred Winifred',
    "Ashdown Atkins Barlow Bramwell Byrne Calloway Carrow Dunmore Ellery Fairweather Fennell Gallagher Hartnell Heath Holloway Kearney Lockwood Marlow McBride Merrick O'Brien O'Connell O'Neill Pryce Quigley Rafferty Sedgwick Thackeray Whitlock Wren",
  ],
  [
    'Alma Álvaro Beatriz Camila Carmen Diego Elena Esteban Inés Íñigo Joaquín Lucía Marisol Mateo Noelia Pilar Ramón Rosario Santiago Tomás',
    'Aguirre Benítez Cárdenas Domínguez Echeverría Fuentes García Herrera Ibáñez Márquez Molina Núñez Ortega Peña Quiroga Ríos Salazar Soler Vidal Zamora',
  ],
  [
    'Adélaïde Amélie Bastien Céline Chloé Clément Édith Éloïse Félix Hélène Jérôme Lucie Maëlle Margaux Noé Océane Rémi Solène Théo Zoë',
    'Aubert Beaumont Carpentier Delacroix Deschamps Fournier Garnier Lambert Lefèvre Marchand Moreau Noël Perrault Renaud Rousseau Tessier Vasseur Vigneau',
  ],
  [
    'Anneliese Astrid Bjørn Britta Dagny Elke Emil Freja Gudrun Håkon Ingrid Jürgen Kaisa Lars Linnéa Maren Mikkel Nils Rasmus Ragnhild Signe Sören Torsten Ursula',
    'Ångström Bergström Brandt Dahl Eklund Fischer Grünwald Haugen Jørgensen Keller Krüger Lindqvist Lund Møller Nygård Oberländer Östberg Rasmussen Schäfer Sørensen Thorsen Weiß Winther',
  ],
  [
    'Agnieszka Bohdan Danuta Dragan Filip Halina Ivana Jiří Katarzyna Lech Ludmila Marek Milena Nadezhda Ondřej Petar Svetlana Tereza Vesna Zbigniew',
    'Černý Dvořák Horvat Ivanova Jankowski Kovač Kowalska Lukić Małecki Nowak Petrović Sokolov Stojanović Svoboda Šimić Wójcik Zieliński Živković',
  ],
  [
    'Amina Bilal Dalia Emre Farid Fatma Hamza Idris Karim Leila Mehmet Nadia Nasrin Omar Rania Samira Selin Tariq Yusuf Zeynep',
    'Abboud Aydın Bakri Çelik Darwish El-Amin Farouk Haddad Hosseini Karimi Khoury Mansour Nasser Özdemir Rahimi Saleh Şahin Tehrani Yıldız Zaman',
  ],
  [
    'Aarav Aditi Ananya Arjun Devika Farah Gauri Ishaan Kavya Lakshmi Manoj Meera Nikhil Priya Rohan Sanjana Shreya Suresh Tanvi Vikram',
    'Acharya Banerjee Bhatt Chaudhary Deshpande Fernando Ghosh Iyer Joshi Kulkarni Menon Mukherjee Nair Patel Perera Rao Reddy Sharma Subramanian Thakur',
  ],
  [
    'Akira Bao Chiyo Eun-ji Haruto Hye-jin Jiho Kenji Linh Mei Minh Naoko Ren Seo-yeon Sora Thuy Xiaoming Yan Yoko Yuki',
    'Chen Choi Fujimoto Hayashi Huang Kang Kim Kobayashi Li Lin Mori Nakamura Nguyen Park Pham Sato Tanaka Tran Wang Zhang',
  ],
  [
    'Abena Adaeze Amara Baraka Chidi Efua Folake Imani Jabari Kofi Kwame Lindiwe Makena Naledi Ngozi Nia Oluwaseun Sade Tendai Zola',
    'Abara Achebe Adeyemi Asante Balogun Boateng Chukwu Dlamini Eze Kamau Kiplagat Mensah Moyo Mwangi Ndlovu Nkosi Okafor Okonkwo Owusu Wanjiru',
  ],
];

const PLACES =
  'Aberystwyth,Accra,Ålesund,Bergen,Bologna,Bristol,Brno,Busan,Cádiz,Cork,Coimbra,Cusco,Dakar,Dundee,Durban,Galway,Gdańsk,Ghent,Göteborg,Graz,Hanoi,Haarlem,Halifax,Hobart,Izmir,Jaipur,Kanazawa,Kilkenny,Kisumu,Kochi,Kraków,Kyoto,León,Leith,Ljubljana,Łódź,Lyon,Málaga,Malmö,Mérida,Montréal,Nairobi,Nantes,Oaxaca,Odense,Oulu,Porto,Pune,Reykjavík,Riga,Rotterdam,São Paulo,Sheffield,Sibiu,Split,Tartu,Thessaloniki,Tromsø,Uppsala,Utrecht,Valparaíso,Wellington,York,Zürich'.split(
    ',',
  );

const ROLES =
  'Ferry mate,Retired tram driver,School librarian,Piano tuner,Night nurse,Bicycle courier,Carpenter,Primary teacher,Beekeeper,Proofreader,Cheesemonger,Land surveyor,Bus conductor’s daughter,Lighthouse volunteer,Pharmacist,Bookbinder,Sound engineer,Postwoman,Cartographer,Glazier,Translator,Botanist on leave,Lapsed mathematician,Baker’s apprentice,Stage electrician,Vet,Upholsterer,Museum guard,Midwife,Railway signaller'.split(
    ',',
  );

const PASTIMES =
  'learning the accordion,keeping a weather diary,trying to grow quinces,mending what others throw out,collecting words for rain,walking every street of the town,reading the Russians at last,baking on Sundays,drawing maps of small places,teaching a dog patience,restoring a 1968 radio,writing letters by hand,counting swifts,photographing doors,swimming in cold water,building a canoe in the hallway,losing at chess,saving seeds,looking for the perfect pencil,recording church bells,making too much marmalade,learning the names of moths,repairing bicycles for neighbours,singing alto, rather badly'.split(
    /,(?! )/,
  );

/** People at fixed ids: the awkward names that every form, list and query must get right. */
const AT: Readonly<Record<number, Person>> = {
  1: {
    handle: 'ada',
    name: 'Ada Lindqvist',
    place: 'Uppsala',
    bio: 'Started this place in a spare room. Still waters the plants here.',
  },
  13: {
    handle: 'little-bobby',
    name: "Robert'); DROP TABLE users;--",
    place: 'Halifax',
    bio: 'Mum says hello. The school never did find its records.',
  },
  17: {
    handle: 'maren-okafor',
    name: 'Maren Okafor',
    place: 'Bergen',
    bio: 'Ferry mate, saving seeds. Ask me about tides, or better, don’t.',
  },
  42: {
    handle: 'bold',
    name: '<b>Bold</b> & "Brave"',
    place: 'Bristol',
    bio: 'My name is a test of yours: <em>if this is slanted</em>, please tell somebody.',
  },
  77: { handle: 'dana', name: 'דנה לוי', place: 'חיפה', bio: 'מתקנת רדיו ישנים ואופה בימי שישי.' },
  99: {
    handle: 'scripted',
    name: '<script>alert("hello")</script>',
    place: '"><img src=x onerror=alert(1)>',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that it stays text is the point
    bio: "javascript:alert('bio') isn't a link, and ${this} isn't a template. {{nor_this}}",
  },
  101: {
    handle: 'noor',
    name: 'نور الدين حداد',
    place: 'القاهرة',
    bio: 'أجمع الطوابع وأزرع النعناع على الشرفة.',
  },
  128: {
    handle: 'sunflower',
    name: 'Ada 🌻 Marie 👩🏽‍🌾 Vidal',
    place: 'Oaxaca 🌵',
    bio: 'Gardener 🌱, grandmother 👵🏾, occasional astronaut 🧑‍🚀.',
  },
  150: { handle: 'yoko', name: '佐藤 陽子', place: '金沢', bio: '庭と本と、朝の散歩。' },
  200: {
    handle: 'hubert',
    name: 'Hubert Blaine Wolfeschlegelsteinhausenbergerdorff',
    place: 'Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch',
    bio: 'Breaks every form in two. Sorry about yours.',
  },
  256: { handle: 'darya', name: 'Дарья Соколова', place: 'Рига', bio: 'Читаю вслух коту.' },
};

/** `count` people, the same ones every time. Handles are unique and made of a-z, 0-9 and hyphens. */
export function* people(count: number): Generator<Person> {
  const dice = random(17);
  const taken = new Set(Object.values(AT).map((person) => person.handle));
  for (let id = 1; id <= count; id++) {
    yield AT[id] ?? somebody(dice, taken);
  }
}

function somebody(dice: Random, taken: Set<string>): Person {
  const [given, ownFamily] = dice.pick(NAMES);
  const family = dice.chance(0.125) ? dice.pick(NAMES)[1] : ownFamily;
  const first = dice.pick(given.split(' '));
  const last = dice.pick(family.split(' '));
  const name = dice.chance(0.06)
    ? `${first} ${dice.pick('ABCDEGHJKLMNPRST'.split(''))}. ${last}`
    : `${first} ${last}`;
  const bio = dice.chance(0.12) ? '' : `${dice.pick(ROLES)}, ${dice.pick(PASTIMES)}.`;
  return { handle: handleOf(name, taken), name, place: dice.pick(PLACES), bio };
}

function handleOf(name: string, taken: Set<string>): string {
  const base = name
    .replace(/ß/g, 'ss')
    .replace(/[øØ]/g, 'o')
    .replace(/[łŁ]/g, 'l')
    .replace(/ı/g, 'i')
    .normalize('NFD')
    .toLowerCase()
    .replace(/[\u0300-\u036f'.’]/g, '')
    .replace(/[^a-z0-9]+/g, '-');
  let handle = base;
  for (let n = 2; taken.has(handle); n++) handle = `${base}-${n}`;
  taken.add(handle);
  return handle;
}
