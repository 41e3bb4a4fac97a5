/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keyed-merge.h"

#include <strings.h>

#include "entries.h"

enum { KIND_KEYED, KIND_WHOLE };

/* What stands behind @words words that spaces or tabs end; false where nothing does. */
static bool behind_words(struct slice line, unsigned words, struct slice *ret_rest)
{
	size_t i = 0;

	while (words--) {
		size_t begin = i;

		while (i < line.length && line.data[i] != ' ' && line.data[i] != '\t')
			i++;
		if (i == begin)
			return false;
		while (i < line.length && (line.data[i] == ' ' || line.data[i] == '\t'))
			i++;
	}
	*ret_rest = (struct slice){ line.data + i, line.length - i };
	return i < line.length;
}

/* Lines with the key behind some words; a line without one is its own key, as all are without words. */
static void add_lines(struct entries *entries, enum entry_side side, struct slice rest, unsigned words)
{
	struct slice line, key;

	while (slice_cut(&rest, '\n', &line)) {
		if (line.length == 0)
			continue;
		if (words && behind_words(line, words, &key))
			entries_add(entries, side, KIND_KEYED, key, line);
		else
			entries_add(entries, side, KIND_WHOLE, line, line);
	}
}

/* From where @first begins to where @last ends. */
static struct slice span(struct slice first, struct slice last)
{
	return (struct slice){ first.data, (size_t)(last.data - first.data) + last.length };
}

/* Each is a path, where its file went, and a package; what is left of a text that was cut off is an entry too. */
static void add_diversions(struct entries *entries, enum entry_side side, struct slice rest)
{
	struct slice path, last;

	while (slice_cut(&rest, '\n', &path)) {
		last = path;
		if (slice_cut(&rest, '\n', &last))
			(void)slice_cut(&rest, '\n', &last);
		entries_add(entries, side, KIND_KEYED, path, span(path, last));
	}
}

/* The value of a line `Name: VALUE`. */
static bool name_of(struct slice line, struct slice *ret_name)
{
	static const char field[] = "Name:";
	size_t i = sizeof field - 1;

	if (line.length < i || strncasecmp(line.data, field, i) != 0)
		return false;
	while (i < line.length && (line.data[i] == ' ' || line.data[i] == '\t'))
		i++;
	*ret_name = (struct slice){ line.data + i, line.length - i };
	return true;
}

static void add_stanza(struct entries *entries, enum entry_side side, struct slice stanza)
{
	struct slice rest = stanza, line, name;

	while (slice_cut(&rest, '\n', &line))
		if (name_of(line, &name)) {
			entries_add(entries, side, KIND_KEYED, name, stanza);
			return;
		}
	entries_add(entries, side, KIND_WHOLE, stanza, stanza);
}

static void add_stanzas(struct entries *entries, enum entry_side side, struct slice rest)
{
	struct slice line, stanza = { 0 };

	while (slice_cut(&rest, '\n', &line)) {
		if (line.length)
			stanza = stanza.data ? span(stanza, line) : line;
		else if (stanza.data)
			add_stanza(entries, side, stanza);
		if (line.length == 0)
			stanza = (struct slice){ 0 };
	}
	if (stanza.data)
		add_stanza(entries, side, stanza);
}

static void add_entries(struct entries *entries, enum entry_side side, enum keyed_form form, struct slice text)
{
	switch (form) {
	case KEYED_DIVERSIONS:
		add_diversions(entries, side, text);
		break;
	case KEYED_STATOVERRIDE:
		add_lines(entries, side, text, 3);
		break;
	case KEYED_LINES:
		add_lines(entries, side, text, 0);
		break;
	case KEYED_DEBCONF:
		add_stanzas(entries, side, text);
		break;
	case KEYED_UCF_HASHES:
	case KEYED_UCF_REGISTRY:
		add_lines(entries, side, text, 1);
		break;
	}
}

int keyed_merge(enum keyed_form form, const struct three_texts *texts, char **ret_text)
{
	CLEANUP_ENTRIES struct entries entries = { 0 };
	CLEANUP_FREE struct entry_row *rows = NULL;
	CLEANUP_BUFFER struct buffer merged = { 0 };
	const char *end = form == KEYED_DEBCONF ? "\n\n" : "\n", *whole;
	size_t count;
	char *text;
	int r;

	if (three_take_whole(texts, &whole)) {
		text = strdup(whole ? whole : "");
		return text ? *ret_text = text, 0 : -ENOMEM;
	}
	for (enum entry_side side = 0; side < ENTRY_SIDES; side++)
		add_entries(&entries, side, form, three_side(texts, side));
	r = entries_align(&entries, &rows, &count);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		const struct list_entry *entry = entry_row_take(&rows[i]);

		if (entry) {
			buffer_add_slice(&merged, entry->text);
			buffer_add_text(&merged, end);
		}
	}
	text = buffer_finish(&merged);
	return text ? *ret_text = text, 0 : -ENOMEM;
}
