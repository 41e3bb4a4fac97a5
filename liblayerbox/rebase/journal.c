/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal.h"

#include <inttypes.h>
#include <limits.h>

#include "../util/text.h"

static const char *const verbs[JOURNAL_VERBS] = { "parent", "ancestor", "out", "in", "replace", "attributes",
						   "uncover" };

/* ---- in memory ---- */

static int reserve(struct journal *journal, size_t more)
{
	size_t need = journal->count + more, capacity = journal->capacity ? journal->capacity : 64;
	struct journal_line *lines;

	if (need <= journal->capacity)
		return 0;
	if (need > INT_MAX)
		return -ENOMEM;
	while (capacity < need)
		capacity *= 2;
	lines = reallocarray(journal->lines, capacity, sizeof *lines);
	if (!lines)
		return -ENOMEM;
	journal->lines = lines;
	journal->capacity = capacity;
	return 0;
}

int journal_add(struct journal *journal, enum journal_verb verb, unsigned number, const struct stat *was,
		const struct stat *shall, const char *path)
{
	struct journal_line line = { .verb = verb, .number = number };
	int r = reserve(journal, 1);

	if (r < 0)
		return r;
	if (was)
		line.was = *was;
	if (shall)
		line.shall = *shall;
	line.path = strdup(path);
	if (!line.path)
		return -ENOMEM;
	journal->lines[journal->count] = line;
	return (int)journal->count++;
}

int journal_append(struct journal *journal, struct journal *more)
{
	int r = reserve(journal, more->count);

	if (r < 0)
		return r;
	if (more->count)
		memcpy(journal->lines + journal->count, more->lines, more->count * sizeof *more->lines);
	journal->count += more->count;
	free(more->lines);
	*more = (struct journal){ 0 };
	return 0;
}

void journal_free(struct journal *journal)
{
	for (size_t i = 0; i < journal->count; i++)
		free(journal->lines[i].path);
	free(journal->lines);
	*journal = (struct journal){ 0 };
}

/* ---- as text ---- */

static bool has_was(enum journal_verb verb)
{
	return verb == JOURNAL_PARENT || verb == JOURNAL_ANCESTOR || verb == JOURNAL_ATTRIBUTES ||
	       verb == JOURNAL_UNCOVER;
}

static bool has_shall(enum journal_verb verb)
{
	return verb == JOURNAL_IN || verb == JOURNAL_REPLACE || verb == JOURNAL_ATTRIBUTES;
}

static void add_attributes(struct buffer *text, bool noted, const struct stat *st)
{
	if (!noted)
		buffer_add_text(text, " -");
	else
		buffer_format(text, " %" PRIu64 ":%o:%u:%u:%" PRId64 ":%" PRId64 ".%09ld:%" PRId64 ".%09ld",
			      (uint64_t)st->st_ino, st->st_mode, st->st_uid, st->st_gid, (int64_t)st->st_size,
			      (int64_t)st->st_atim.tv_sec, st->st_atim.tv_nsec, (int64_t)st->st_mtim.tv_sec,
			      st->st_mtim.tv_nsec);
}

static void add_path(struct buffer *text, const char *path)
{
	buffer_add(text, " ", 1);
	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;

		if (c <= ' ' || c == '\\' || c == 0x7f)
			buffer_format(text, "\\%03o", c);
		else
			buffer_add(text, path, 1);
	}
}

char *journal_format(const struct journal *journal, size_t *ret_length)
{
	CLEANUP_BUFFER struct buffer text = { 0 };
	char *finished;

	for (size_t i = 0; i < journal->count; i++) {
		const struct journal_line *line = &journal->lines[i];

		buffer_format(&text, "%s %u", verbs[line->verb], line->number);
		add_attributes(&text, has_was(line->verb), &line->was);
		add_attributes(&text, has_shall(line->verb), &line->shall);
		add_path(&text, line->path);
		buffer_add(&text, "\n", 1);
	}
	buffer_add(&text, "", 0);
	if (!text.failed)
		buffer_format(&text, "end %zu %016" PRIx64 "\n", journal->count, text_hash(text.data));
	*ret_length = text.length;
	finished = buffer_finish(&text);
	return finished;
}

static bool parse_attributes(const char *word, struct stat *ret_st)
{
	uint64_t inode;
	int64_t size, atime, mtime;
	long atime_ns, mtime_ns;
	unsigned mode, uid, gid;
	int end = 0;

	if (sscanf(word,
		   "%" SCNu64 ":%o:%u:%u:%" SCNd64 ":%" SCNd64 ".%9ld:%" SCNd64 ".%9ld%n", &inode, &mode, &uid, &gid,
		   &size, &atime, &atime_ns, &mtime, &mtime_ns, &end) != 9 || word[end])
		return false;
	*ret_st = (struct stat){
		.st_ino = inode,
		.st_mode = mode,
		.st_uid = uid,
		.st_gid = gid,
		.st_size = size,
		.st_atim = { .tv_sec = atime, .tv_nsec = atime_ns },
		.st_mtim = { .tv_sec = mtime, .tv_nsec = mtime_ns },
	};
	return true;
}

/* In place. Nothing that leads out of the top layer is ever written, so it is not read either. */
static bool parse_path(char *path)
{
	return text_unescape(path) && (journal_is_path(path) || text_equal(path, "."));
}

bool journal_is_path(const char *path)
{
	for (const char *p = path;; p++) {
		size_t n = strcspn(p, "/");

		if (n == 0 || n > NAME_MAX || (n == 1 && *p == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += n;
		if (!*p)
			return p - path < PATH_MAX;
	}
}

static bool parse_line(char *text, struct journal_line *ret_line)
{
	char *words[5], *rest = text;
	uint64_t number;

	for (int i = 0; i < 5; i++)
		words[i] = strsep(&rest, " ");
	if (!words[4] || rest || !text_to_number(words[1], 0, UINT_MAX, &number))
		return false;
	for (ret_line->verb = 0; ret_line->verb < JOURNAL_VERBS; ret_line->verb++)
		if (text_equal(words[0], verbs[ret_line->verb]))
			break;
	ret_line->number = (unsigned)number;
	ret_line->path = words[4];
	return ret_line->verb < JOURNAL_VERBS && parse_path(words[4]) &&
	       (!has_was(ret_line->verb) || parse_attributes(words[2], &ret_line->was)) &&
	       (!has_shall(ret_line->verb) || parse_attributes(words[3], &ret_line->shall));
}

static int parse_lines(char *text, const char *end, struct journal *journal)
{
	while (text < end) {
		struct journal_line line = { 0 };
		char *next = strchr(text, '\n');
		int r;

		*next = '\0';
		if (!parse_line(text, &line))
			return -EBADMSG;
		r = journal_add(journal, line.verb, line.number, &line.was, &line.shall, line.path);
		if (r < 0)
			return r;
		text = next + 1;
	}
	return 0;
}

/* Where the last line, "end COUNT CHECKSUM", begins; NULL where that is not there, or does not fit the rest. */
static char *find_end(char *text, uint64_t *ret_count)
{
	size_t length = strlen(text);
	char *end = text + length, expected[64];
	uint64_t hash;

	if (length == 0 || end[-1] != '\n')
		return NULL;
	for (end--; end > text && end[-1] != '\n';)
		end--;
	if (sscanf(end, "end %" SCNu64 " ", ret_count) != 1)
		return NULL;
	*end = '\0';
	hash = text_hash(text);
	*end = 'e';
	snprintf(expected, sizeof expected, "end %" PRIu64 " %016" PRIx64 "\n", *ret_count, hash);
	return text_equal(end, expected) ? end : NULL;
}

int journal_parse(const char *text, struct journal *ret_journal)
{
	CLEANUP_FREE char *copy = strdup(text);
	CLEANUP_JOURNAL struct journal journal = { 0 };
	uint64_t count;
	char *end;
	int r;

	if (!copy)
		return -ENOMEM;
	end = find_end(copy, &count);
	if (!end)
		return -EBADMSG;
	r = parse_lines(copy, end, &journal);
	if (r == 0 && journal.count != count)
		r = -EBADMSG;
	if (r < 0)
		return r;
	*ret_journal = journal;
	journal = (struct journal){ 0 };
	return 0;
}
