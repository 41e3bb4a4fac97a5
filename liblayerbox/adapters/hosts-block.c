/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The block as text, apart from how the file is replaced. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "hosts-file.h"

#define BLANKS " \t\r"

enum { NAME_BYTES_MAX = 256, SHOWN_BYTES_MAX = 60 };

/* ---- lines and markers ---- */

struct line {
	const char *start;
	size_t length;                /* without its newline */
	size_t offset, next;          /* of the line and the one behind it, in the text */
	unsigned number;
};

/* The line behind @line (zeroed: the first); false at the end of the text. */
static bool next_line(const char *text, size_t length, struct line *line)
{
	const char *end;

	if (line->next >= length)
		return false;
	line->offset = line->next;
	line->start = text + line->offset;
	end = memchr(line->start, '\n', length - line->offset);
	line->length = end ? (size_t)(end - line->start) : length - line->offset;
	line->next = line->offset + line->length + (end != NULL);
	line->number++;
	return true;
}

/* Cuts the next word out of *@rest; its length, 0 at the end of the line or where a remark begins. */
static size_t next_word(const char **rest, const char *end, const char **ret_word)
{
	const char *p = *rest;

	while (p < end && strchr(BLANKS, *p))
		p++;
	*ret_word = p;
	while (p < end && *p != '#' && !strchr(BLANKS, *p))
		p++;
	*rest = p;
	return (size_t)(p - *ret_word);
}

enum marker { MARKER_NONE, MARKER_BEGIN, MARKER_END, MARKER_OTHER_BEGIN, MARKER_OTHER_END };

/* Is it a marker, and @root's or another's? A carriage return may end it, and white space stand around it. */
static enum marker marker_of(const struct line *line, const char *root)
{
	static const char begin[] = "# BEGIN layerbox ", end[] = "# END layerbox ";
	const char *p = line->start, *stop = p + line->length, *name;
	bool begins, ours;

	while (p < stop && strchr(BLANKS, *p))
		p++;
	begins = (size_t)(stop - p) >= sizeof begin - 1 && memcmp(p, begin, sizeof begin - 1) == 0;
	if (!begins && ((size_t)(stop - p) < sizeof end - 1 || memcmp(p, end, sizeof end - 1) != 0))
		return MARKER_NONE;
	name = p + (begins ? sizeof begin : sizeof end) - 1;
	for (p = name; p < stop && *p != ':' && !strchr(BLANKS, *p);)
		p++;
	ours = (size_t)(p - name) == strlen(root) && memcmp(name, root, strlen(root)) == 0;
	if (begins)
		return ours ? MARKER_BEGIN : MARKER_OTHER_BEGIN;
	return ours ? MARKER_END : MARKER_OTHER_END;
}

/* Could this line of a block have been written by hosts_file_merge()? An address and one name or two. */
static bool is_rendered(const struct line *line)
{
	const char *rest = line->start, *end = rest + line->length, *word;
	char address[INET6_ADDRSTRLEN];
	unsigned char parsed[sizeof(struct in6_addr)];
	size_t n = next_word(&rest, end, &word);
	unsigned names = 0;

	if (n == 0)
		return rest == end; /* a blank line */
	if (n >= sizeof address)
		return false;
	memcpy(address, word, n);
	address[n] = '\0';
	if (inet_pton(AF_INET, address, parsed) != 1 && inet_pton(AF_INET6, address, parsed) != 1)
		return false;
	while (next_word(&rest, end, &word))
		names++;
	return rest == end && names >= 1 && names <= 2;
}

/* ---- finding the block ---- */

struct place {
	size_t start, end;            /* of the block with its markers; where it is to be put when there is none */
	bool found;
};

struct search {
	const char *text, *file;
	size_t length;
	const struct hosts_block *block;
	char *error;
	size_t error_size;
};

PRINTF_LIKE(3, 4)
static int refuse(const struct search *search, const struct line *line, const char *format, ...)
{
	char shown[SHOWN_BYTES_MAX + 1], why[512];
	size_t n = line->length < SHOWN_BYTES_MAX ? line->length : SHOWN_BYTES_MAX;
	va_list args;

	memcpy(shown, line->start, n);
	shown[n] = '\0';
	va_start(args, format);
	vsnprintf(why, sizeof why, format, args);
	va_end(args);
	snprintf(search->error, search->error_size, "%s:%u: \"%s\": %s", search->file, line->number,
		 text_printable(text_trim(shown)), why);
	return -EINVAL;
}

/* Behind the marker @line that begins the block: up to the one that ends it. */
static int find_end(const struct search *search, struct line *line, struct place *place)
{
	const struct line begin = *line;

	while (next_line(search->text, search->length, line)) {
		enum marker marker = marker_of(line, search->block->root);

		if (marker == MARKER_END) {
			place->end = line->next;
			place->found = true;
			return 0;
		}
		if (marker != MARKER_NONE)
			break;
		if (!is_rendered(line))
			return refuse(search, line,
				      "this line is not layerbox's, but in its block that begins in line %u; move it "
				      "out of the block, or delete it",
				      begin.number);
	}
	return refuse(search, &begin,
		      "this block of layerbox has no end; delete what is left of it with this line, or put the line "
		      "\"# END layerbox %s\" behind it",
		      search->block->root);
}

/* The end of the text, or the last line where that has no newline: what is put before it leaves it as it is. */
static size_t end_of_whole_lines(const char *text, size_t length)
{
	while (length && text[length - 1] != '\n')
		length--;
	return length;
}

static int find_block(const struct search *search, struct place *ret_place)
{
	struct place place = { 0 };
	struct line line = { 0 };

	while (next_line(search->text, search->length, &line)) {
		enum marker marker = marker_of(&line, search->block->root);
		int r;

		if (marker == MARKER_END)
			return refuse(search, &line,
				      "this ends a block of layerbox that begins nowhere; delete the line");
		if (marker != MARKER_BEGIN)
			continue;
		if (place.found)
			return refuse(search, &line,
				      "this is the second block of layerbox for the same root; delete it");
		place.start = line.offset;
		r = find_end(search, &line, &place);
		if (r < 0)
			return r;
	}
	if (!place.found)
		place.start = place.end = end_of_whole_lines(search->text, search->length);
	*ret_place = place;
	return 0;
}

/* ---- the operator's names ---- */

/* A name of the block, and whether the operator's lines have it too. */
struct claim {
	const char *name;
	bool taken;
};

static int compare_claims(const void *a, const void *b)
{
	return strcasecmp(((const struct claim *)a)->name, ((const struct claim *)b)->name);
}

static struct claim *find_claim(struct claim *claims, size_t count, const char *name)
{
	const struct claim key = { .name = name };

	return count ? bsearch(&key, claims, count, sizeof *claims, compare_claims) : NULL;
}

static size_t gather_claims(const struct hosts_block *block, struct claim *claims)
{
	size_t count = 0;

	for (size_t i = 0; i < block->count; i++)
		for (size_t k = 0; k < 2; k++)
			if (block->entries[i].names[k])
				claims[count++].name = block->entries[i].names[k];
	if (count > 1)
		qsort(claims, count, sizeof *claims, compare_claims);
	return count;
}

static void take_names_of_line(const struct line *line, struct claim *claims, size_t count)
{
	const char *rest = line->start, *end = rest + line->length, *word;
	size_t n = next_word(&rest, end, &word); /* the address */

	while (n && (n = next_word(&rest, end, &word))) {
		char name[NAME_BYTES_MAX];
		struct claim *claim;

		if (n >= sizeof name)
			continue;
		memcpy(name, word, n);
		name[n] = '\0';
		claim = find_claim(claims, count, name);
		if (claim)
			claim->taken = true;
	}
}

/* Marks which names are the operator's; another root's block is not the operator's. */
static void take_names(const struct search *search, const struct place *place, struct claim *claims, size_t count)
{
	struct line line = { 0 };
	bool in_other = false;

	while (next_line(search->text, search->length, &line)) {
		enum marker marker = marker_of(&line, search->block->root);

		in_other = marker == MARKER_OTHER_BEGIN || (in_other && marker == MARKER_NONE);
		if (!in_other && (line.offset < place->start || line.offset >= place->end))
			take_names_of_line(&line, claims, count);
	}
}

/* ---- the new text ---- */

static void render_entry(const struct hosts_entry *entry, struct claim *claims, size_t count, struct buffer *lines)
{
	bool any = false;

	for (size_t i = 0; i < 2; i++) {
		const struct claim *claim = entry->names[i] ? find_claim(claims, count, entry->names[i]) : NULL;

		if (!claim || claim->taken)
			continue;
		buffer_format(lines, "%s%s%s", any ? "" : entry->address, any ? " " : "\t", entry->names[i]);
		any = true;
	}
	if (any)
		buffer_add_text(lines, "\n");
}

static int render(const struct search *search, const struct place *place, struct buffer *out)
{
	const struct hosts_block *block = search->block;
	CLEANUP_FREE struct claim *claims = calloc(2 * block->count + 1, sizeof *claims);
	CLEANUP_BUFFER struct buffer lines = { 0 };
	size_t count;

	if (!claims)
		return -ENOMEM;
	count = gather_claims(block, claims);
	take_names(search, place, claims, count);
	for (size_t i = 0; i < block->count; i++)
		render_entry(block->entries + i, claims, count, &lines);
	buffer_add(out, search->text, place->start);
	if (lines.length)
		buffer_format(out, "# BEGIN layerbox %s: rendered, do not edit\n%s# END layerbox %s\n", block->root,
			      lines.data, block->root);
	buffer_add(out, search->text + place->end, search->length - place->end);
	return lines.failed || out->failed ? -ENOMEM : 0;
}

int hosts_file_merge(const char *text, size_t length, const char *file, const struct hosts_block *block,
		     char **ret_text, size_t *ret_length, char *error, size_t error_size)
{
	const struct search search = {
		.text = text, .file = file, .length = length, .block = block, .error = error, .error_size = error_size
	};
	CLEANUP_BUFFER struct buffer out = { 0 };
	struct place place = { 0 };
	int r;

	if (memchr(text, '\0', length)) {
		snprintf(error, error_size, "%s is not a text file: there is a zero byte in it", file);
		return -EINVAL;
	}
	r = find_block(&search, &place);
	if (r == 0)
		r = render(&search, &place, &out);
	if (r == -ENOMEM)
		snprintf(error, error_size, "out of memory");
	if (r < 0)
		return r;
	*ret_length = out.length;
	*ret_text = buffer_finish(&out);
	return *ret_text ? 0 : -ENOMEM;
}
