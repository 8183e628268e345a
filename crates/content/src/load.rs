//! From files to a pack: sort, read, check.

use std::ops::Range;

use dengmi_core::id::SlugError;
use dengmi_core::{Day, Digest, Slug};
use serde::de::DeserializeOwned;

use crate::codes;
use crate::content::{Content, Item, Kind, Place};
use crate::courses::file_of;
use crate::diagnostic::{Diagnostic, Said, SourceFile, say};
use crate::model::notice::NoticeFile;
use crate::model::{
    Assessment, CommunityFile, Course, Lesson, Market, Notice, PointsFile, Product, Quest,
    Question, QuestionFile, RewardRule, SCHEMA, Scenario, WordsFile,
};
use crate::nearest::{nearest, one_of};
use crate::pack::Pack;
use crate::parse::in_words::bad_id;
use crate::parse::parse;
use crate::scan::Node;
use crate::source::{Report, Source};
use crate::{checks, templates};

/// Most files of a pack.
const FILES_MAX: usize = 2_000;

/// Faults of one list after which the rest of it is not read.
const FAULTS_MAX: usize = 1_000;

/// Most bytes of all files together.
const BYTES_MAX: usize = 32_000_000;

/// What the checks need to know from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckOptions {
    /// Today: approvals expire and figures age.
    pub today: Day,
}

/// Reads and checks content. All faults of all files are reported, ordered by path and place.
/// There is a pack exactly when none of them is an error. Only files that end in `.ron` are read;
/// their order does not matter.
#[must_use]
pub fn load(files: &[SourceFile], options: &CheckOptions) -> (Option<Pack>, Vec<Diagnostic>) {
    let is_ron = |file: &&SourceFile| file.path.to_ascii_lowercase().ends_with(".ron");
    let mut files: Vec<&SourceFile> = files.iter().filter(is_ron).collect();
    files.sort_by(|a, b| a.path.as_bytes().cmp(b.path.as_bytes()));
    let mut report = Report::default();
    let mut content = Content::new(options.today);
    if within_limits(&files, &mut report) {
        for (index, file) in files.iter().enumerate() {
            if index > 0 && files[index - 1].path == file.path {
                let message = say!("有两个文件用了这个路径", "two files have this path");
                let help = say!("只保留一个", "give only one of them");
                report.file_error(codes::FILE_TWICE, &file.path, message, help);
                continue;
            }
            read(file, &mut content, &mut report);
        }
        let points = format!("{}points.ron", Kind::Points.folder());
        if content.points.is_none() && !content.is_broken(Kind::Points, "points") {
            let message = say!("缺少积分计划", "the points programme is missing");
            let help = say!(
                "请添加：`(schema: 1, fen_per_point: 1, expire_after_months: 12)`",
                "add it: `(schema: 1, fen_per_point: 1, expire_after_months: 12)`"
            );
            report.file_error(codes::POINTS_MISSING, &points, message, help);
        }
        content.derive_quests();
        checks::run(&mut content, &mut report);
    }
    if report.has_errors() {
        return (None, report.finish());
    }
    let pack = content.into_pack(digest(&files));
    if pack.is_none() {
        // The checks guarantee that every fact resolves; should they ever miss one, refuse.
        let message = say!(
            "题目引用的数据产品页上没有",
            "a question refers to a fact that its product page does not state"
        );
        let help = say!("对照题目和产品页", "compare questions and products");
        report.file_error(codes::DEAD_FACT, "content", message, help);
    }
    (pack, report.finish())
}

/// Sizes are checked before anything is read.
fn within_limits(files: &[&SourceFile], report: &mut Report) -> bool {
    let mut bytes = 0usize;
    for (index, file) in files.iter().enumerate() {
        bytes = bytes.saturating_add(file.text.len());
        if index >= FILES_MAX || bytes > BYTES_MAX {
            let message = say!(
                "到这个文件共 {count} 个文件、{bytes} 字节，最多读取 {FILES_MAX} 个文件、{BYTES_MAX} 字节",
                "with this file there are {count} files and {bytes} bytes; at most {FILES_MAX} files \
                 and {BYTES_MAX} bytes are read",
                count = index + 1
            );
            let help = say!(
                "检查文件夹是否给对，或删去用不到的文件",
                "check that the right folder was given, or remove what is not needed"
            );
            report.file_error(codes::TOO_MUCH, &file.path, message, help);
            return false;
        }
    }
    true
}

/// Over paths and bytes in order of the paths, each with its length before it.
fn digest(files: &[&SourceFile]) -> Digest {
    let mut hasher = blake3::Hasher::new();
    for part in files.iter().flat_map(|file| [&file.path, &file.text]) {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        hasher.update(&length.to_le_bytes());
        hasher.update(part.as_bytes());
    }
    Digest(*hasher.finalize().as_bytes())
}

const FOLDERS: [&str; 11] = [
    "content/products",
    "content/questions",
    "content/rewards",
    "content/communities",
    "content/notices",
    "content/words",
    "content/assessments",
    "content/markets",
    "content/scenarios",
    "quests",
    "courses",
];

/// The kind of a file and its path below its folder, without `.ron`.
fn kind_of<'p>(path: &'p str, report: &mut Report) -> Option<(Kind, &'p str)> {
    let kinds = [
        Kind::Product,
        Kind::Question,
        Kind::Rule,
        Kind::Community,
        Kind::Notice,
        Kind::Words,
        Kind::Assessment,
        Kind::Quest,
        Kind::Market,
        Kind::Scenario,
    ];
    let stem = path.get(..path.len() - ".ron".len())?;
    if let Some(below) = stem.strip_prefix(Kind::Course.folder()) {
        return file_of(path, below, report);
    }
    for kind in kinds {
        if let Some(id) = stem.strip_prefix(kind.folder()) {
            let points = kind == Kind::Rule && id == "points";
            return Some((if points { Kind::Points } else { kind }, id));
        }
    }
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let message = if folder.is_empty() {
        say!("不在内容文件夹里的文件不会读取", "a file outside of every content folder is not read")
    } else {
        say!("`{folder}/` 不是内容文件夹", "`{folder}/` is no folder of the content")
    };
    let first_two = folder.splitn(3, '/').take(2).collect::<Vec<_>>().join("/");
    let near = nearest(&first_two, FOLDERS).or_else(|| nearest(folder, FOLDERS));
    let help = match near {
        Some(near) => say!("是不是 `{near}/`？", "did you mean `{near}/`?"),
        None => say!(
            "请放到 {folders} 之一",
            "put it into one of {folders}",
            folders = one_of(&FOLDERS)
        ),
    };
    report.file_error(codes::UNKNOWN_FOLDER, path, message, help);
    None
}

fn read<'a>(file: &'a SourceFile, content: &mut Content<'a>, report: &mut Report) {
    let Some((kind, stem)) = kind_of(&file.path, report) else { return };
    let id = match stem.parse::<Slug>() {
        Ok(id) if file.path.ends_with(".ron") => Some(id),
        Ok(_) => {
            let message = say!(
                "文件名没有以小写 `.ron` 结尾",
                "the file name does not end in `.ron` in small letters"
            );
            report.file_error(codes::BAD_ID, &file.path, message, say!("请改名", "rename it"));
            None
        }
        Err(SlugError(written)) => {
            let (message, help) = bad_id(&written);
            let help = Said::new(
                format!("文件名就是 id：{}", help.zh),
                format!("the file's name is its id: {}", help.en),
            );
            report.file_error(codes::BAD_ID, &file.path, message, help);
            None
        }
    };
    let source = Source::new(file, report);
    let index = content.sources.len();
    content.sources.push(source);
    let mut reader = Reader { index, content, report };
    // Without a root nothing can be said about what the file defines.
    if reader.root().is_none() || !reader.schema_is_ours() {
        reader.whole_file_broken(kind, stem);
        return;
    }
    // Without an id the file is still worth reading for its faults.
    reader.read_kind(kind, stem, id);
}

struct Reader<'c, 'a, 'r> {
    index: usize,
    content: &'c mut Content<'a>,
    report: &'r mut Report,
}

impl<'a> Reader<'_, 'a, '_> {
    fn source(&self) -> &Source<'a> {
        &self.content.sources[self.index]
    }

    fn root(&self) -> Option<&Node> {
        self.source().root.as_ref()
    }

    fn whole_file_broken(&mut self, kind: Kind, stem: &str) {
        let name = match kind {
            Kind::Question => format!("{stem}/*"),
            Kind::Notice => "/*".to_owned(),
            _ => stem.to_owned(),
        };
        self.content.broken.insert((kind, name));
    }

    /// A file of another schema would only give misleading faults.
    fn schema_is_ours(&mut self) -> bool {
        let source = &self.content.sources[self.index];
        let schema = source.root.as_ref().and_then(|root| root.get(source.text, "schema"));
        let Some(schema) = schema else { return true };
        let written = &source.text[schema.span.clone()];
        let other = written.parse::<u64>().is_ok_and(|number| number != u64::from(SCHEMA));
        if other {
            let message = say!(
                "本版本不认识 schema {written}",
                "schema {written} is not known to this release"
            );
            let help = say!(
                "请写 `schema: {SCHEMA}`，或使用与文件对应的版本",
                "write `schema: {SCHEMA}`, or use the release the file was made for"
            );
            let at = source.at(schema.span.clone());
            self.report.error(codes::WRONG_SCHEMA, at, message, help);
        }
        !other
    }

    /// Parses the whole file; lists in `emptied` are read as empty, to be parsed one by one.
    fn parse_file<T: DeserializeOwned>(
        &mut self,
        emptied: Option<&str>,
        templates: &[&str],
    ) -> Option<T> {
        let source = &self.content.sources[self.index];
        let root = source.root.as_ref()?;
        let list = emptied.and_then(|path| root.get(source.text, path));
        let list = list.filter(|node| matches!(node.shape, crate::scan::Shape::List(_)));
        let replace: Vec<(Range<usize>, String)> =
            list.map(|node| (node.span.clone(), "[]".to_owned())).into_iter().collect();
        parse(source, root, &replace, templates, self.report)
    }

    fn place(&self, path: String) -> Place {
        Place { source: self.index, path }
    }

    fn read_kind(&mut self, kind: Kind, stem: &str, id: Option<Slug>) {
        match kind {
            Kind::Product => {
                let value: Option<Product> = self.parse_file(None, templates::PRODUCT);
                if let Some(item) = self.item(kind, stem, id, value) {
                    self.content.products.add(item);
                }
            }
            Kind::Rule => {
                let value: Option<RewardRule> = self.parse_file(None, templates::REWARD);
                if let Some(item) = self.item(kind, stem, id, value) {
                    self.content.rules.add(item);
                }
            }
            Kind::Community => {
                let value: Option<CommunityFile> = self.parse_file(None, templates::COMMUNITY);
                if let Some(item) = self.item(kind, stem, id, value) {
                    self.content.communities.add(item);
                }
            }
            Kind::Quest => {
                let value: Option<Quest> = self.parse_file(None, templates::QUEST);
                if let Some(item) = self.item(kind, stem, id, value) {
                    self.content.quests.add(item);
                }
            }
            Kind::Course => {
                let value: Option<Course> = self.parse_file(None, templates::COURSE);
                if let Some(item) = self.item(kind, stem, id, value) {
                    self.content.courses.add(item);
                }
            }
            Kind::Lesson => {
                let value: Option<Lesson> = self.parse_file(None, templates::LESSON);
                if let Some(item) = self.item(kind, stem, id, value) {
                    self.content.lessons.add(item);
                }
            }
            Kind::Assessment => {
                let value: Option<Assessment> = self.parse_file(None, templates::ASSESSMENT);
                if let Some(item) = self.item(kind, stem, id, value) {
                    self.content.assessments.add(item);
                }
            }
            Kind::Market => {
                let value: Option<Market> = self.parse_file(None, templates::MARKET);
                if let Some(item) = self.item(kind, stem, id, value) {
                    self.content.markets.add(item);
                }
            }
            Kind::Scenario => {
                let value: Option<Scenario> = self.parse_file(None, templates::SCENARIO);
                if let Some(item) = self.item(kind, stem, id, value) {
                    self.content.scenarios.add(item);
                }
            }
            Kind::Points => {
                let value: Option<PointsFile> = self.parse_file(None, templates::POINTS);
                self.content.points = self.item(kind, stem, id, value);
            }
            Kind::Words => {
                let value: Option<WordsFile> = self.parse_file(None, templates::WORDS);
                let item = self.item(kind, stem, id, value);
                self.content.words.extend(item);
            }
            Kind::Question => {
                let head: Option<QuestionFile> =
                    self.parse_file(Some("questions"), templates::QUESTION_FILE);
                let file_id = id.clone();
                let item = self.item(kind, stem, id, head);
                self.content.question_files.extend(item);
                self.read_questions(stem, file_id.as_ref());
            }
            Kind::Notice => {
                let head: Option<NoticeFile> =
                    self.parse_file(Some("notices"), templates::NOTICE_FILE);
                let item = self.item(kind, stem, id, head);
                self.content.notice_files.extend(item);
                self.read_notices();
            }
        }
    }

    fn item<T>(
        &mut self,
        kind: Kind,
        stem: &str,
        id: Option<Slug>,
        value: Option<T>,
    ) -> Option<Item<T>> {
        match (id, value) {
            (Some(id), Some(value)) => Some(Item { id, place: self.place(String::new()), value }),
            _ => {
                self.content.broken.insert((kind, stem.to_owned()));
                None
            }
        }
    }

    /// Parses the elements of a list one by one; what could not be read keeps its id.
    fn elements<T: DeserializeOwned>(
        &mut self,
        (kind, stem): (Kind, &str),
        list: &str,
        templates: &[&str],
    ) -> Vec<(Place, Result<T, String>)> {
        let mut found = Vec::new();
        let mut unread = false;
        let source = &self.content.sources[self.index];
        let Some(list_node) = source.root.as_ref().and_then(|r| r.get(source.text, list)) else {
            return found;
        };
        let before = self.report.len();
        for (index, node) in list_node.items().iter().enumerate() {
            if self.report.len() - before > FAULTS_MAX {
                let message = say!(
                    "错误超过 {FAULTS_MAX} 处，后面的没有读取",
                    "more than {FAULTS_MAX} faults; what follows was not read"
                );
                let help = say!("先改好前面的错误", "mend those before it first");
                let at = source.at(node.span.clone());
                self.report.error(codes::TOO_MUCH, at, message, help);
                unread = true;
                break;
            }
            let place = Place { source: self.index, path: format!("{list}.{index}") };
            let value = parse(source, node, &[], templates, self.report).ok_or_else(|| {
                let id = node.get(source.text, "id").map(|id| &source.text[id.span.clone()]);
                id.unwrap_or("").trim_matches('"').to_owned()
            });
            found.push((place, value));
        }
        if unread {
            self.whole_file_broken(kind, stem);
        }
        found
    }

    fn read_questions(&mut self, stem: &str, file_id: Option<&Slug>) {
        for (place, value) in
            self.elements::<Question>((Kind::Question, stem), "questions", templates::QUESTION)
        {
            let question = match value {
                Ok(question) => question,
                Err(id) => {
                    self.content.broken.insert((Kind::Question, format!("{stem}/{id}")));
                    continue;
                }
            };
            let own = question.id.as_str();
            let full = format!("{}/{own}", file_id.map_or(stem, Slug::as_str));
            let message = if own.contains('/') {
                say!("题目 id `{own}` 不止一段", "the question's id `{own}` has more than one part")
            } else if let Ok(id) = full.parse::<Slug>() {
                let item = Item { id, place: place.clone(), value: question };
                let Some(first) = self.content.questions.add(item) else { continue };
                let first = self.content.at(&first, "id").line();
                let message = say!(
                    "题目 `{full}` 定义了两次，第一次在第 {first} 行",
                    "the question `{full}` is defined twice; first on line {first}"
                );
                let at = self.content.at(&place, "id");
                let help = say!("给其中一个换 id", "give one of them another id");
                self.report.error(codes::ID_TWICE, at, message, help);
                continue;
            } else if file_id.is_none() {
                // The file's name was reported already.
                self.content.broken.insert((Kind::Question, full));
                continue;
            } else {
                say!(
                    "题目完整 id `{full}` 超过 {most} 个字符",
                    "the question's full id `{full}` is longer than {most} characters",
                    most = Slug::LEN_MAX
                )
            };
            let help = say!(
                "用一段短名称即可，文件路径会自动加在前面",
                "use one short name; the file's path comes before it by itself"
            );
            self.report.error(codes::BAD_ID, self.content.at(&place, "id"), message, help);
            self.content.broken.insert((Kind::Question, full));
        }
    }

    fn read_notices(&mut self) {
        for (place, value) in
            self.elements::<Notice>((Kind::Notice, ""), "notices", templates::NOTICE)
        {
            match value {
                Err(id) => {
                    self.content.broken.insert((Kind::Notice, id));
                }
                Ok(value) => {
                    let id = value.id.clone();
                    let item = Item { id: id.clone(), place: place.clone(), value };
                    let Some(first) = self.content.notices.add(item) else { continue };
                    let first = self.content.at(&first, "id");
                    let message = say!(
                        "提示语 `{id}` 定义了两次，第一次在 {path}:{line}",
                        "the notice `{id}` is defined twice; first at {path}:{line}",
                        path = first.path(),
                        line = first.line()
                    );
                    let at = self.content.at(&place, "id");
                    let help = say!("给其中一个换 id", "give one of them another id");
                    self.report.error(codes::ID_TWICE, at, message, help);
                }
            }
        }
    }
}
