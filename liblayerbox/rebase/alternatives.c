/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The form, as update-alternatives(1) writes it: `auto` or `manual`; the link; name and link of each slave, and an
 * empty line; then each choice, which is a path, a priority, and a file for each slave in their order (empty: none),
 * and an empty line.
 */
#include "alternatives.h"

#include "entries.h"

/* Far above what there is; it bounds what slaves of one side times choices of the other can come to. */
enum { SLAVES_MAX = 256, CHOICES_MAX = 1024, FORMS_MAX = 4 << 20 };

enum { SLAVE_NAME, SLAVE_LINK, SLAVE_COLUMNS };

struct slave {
	struct slice names[SLAVE_COLUMNS];
	size_t column;                /* in the file's order */
};

struct choice {
	struct slice path;
	size_t begin, end;            /* its form, within forms */
};

struct alternative {
	bool manual;
	struct slice link;
	struct slave slaves[SLAVES_MAX]; /* by name */
	struct choice choices[CHOICES_MAX];
	size_t slaves_count, choices_count;
	/*
	 * The form of a choice is the same in files with other slaves: its priority, then name, link and file of each
	 * slave that it has, by name; a line each.
	 */
	struct buffer forms;
};

static int compare_names(const void *a, const void *b)
{
	const struct slave *left = a, *right = b;

	return slice_compare(left->names[SLAVE_NAME], right->names[SLAVE_NAME]);
}

static int compare_links(const void *a, const void *b)
{
	const struct slave *left = a, *right = b;

	return slice_compare(left->names[SLAVE_LINK], right->names[SLAVE_LINK]);
}

static bool have_same(const struct slave *slaves, size_t count, int column)
{
	for (size_t i = 1; i < count; i++)
		if (slice_equal(slaves[i - 1].names[column], slaves[i].names[column]))
			return true;
	return false;
}

/* Sorts them by name; false where two have one name or one link, or one has the @link of all. */
static bool slaves_fit(struct slave *slaves, size_t count, struct slice link)
{
	bool fit;

	if (count)
		qsort(slaves, count, sizeof *slaves, compare_links);
	fit = !have_same(slaves, count, SLAVE_LINK);
	for (size_t i = 0; i < count; i++)
		fit = fit && !slice_equal(slaves[i].names[SLAVE_LINK], link);
	if (count)
		qsort(slaves, count, sizeof *slaves, compare_names);
	return fit && !have_same(slaves, count, SLAVE_NAME);
}

/* The next line; false where there is none, or it has no end. */
static bool next_line(struct slice *rest, struct slice *ret_line)
{
	return slice_cut(rest, '\n', ret_line) && ret_line->data[ret_line->length] == '\n';
}

static bool read_head(struct alternative *alternative, struct slice *rest)
{
	static const struct slice automatic = { "auto", 4 }, manual = { "manual", 6 };
	struct slice line, link;

	if (!next_line(rest, &line) || !next_line(rest, &alternative->link) || !alternative->link.length)
		return false;
	alternative->manual = slice_equal(line, manual);
	if (!alternative->manual && !slice_equal(line, automatic))
		return false;
	while (next_line(rest, &line)) {
		size_t n = alternative->slaves_count;

		if (line.length == 0)
			return slaves_fit(alternative->slaves, n, alternative->link);
		if (n == SLAVES_MAX || !next_line(rest, &link) || !link.length)
			return false;
		alternative->slaves[alternative->slaves_count++] = (struct slave){ { line, link }, n };
	}
	return false;
}

static bool is_priority(struct slice line)
{
	uint64_t number;

	if (line.length && line.data[0] == '-')
		line = (struct slice){ line.data + 1, line.length - 1 };
	return slice_to_number(line, 0, INT32_MAX, &number);
}

static void add_line(struct buffer *buffer, struct slice line)
{
	buffer_add_slice(buffer, line);
	buffer_add(buffer, "\n", 1);
}

/* Reads what stands behind a choice's path, and adds its form. */
static bool read_choice(struct alternative *alternative, struct slice *rest)
{
	struct slice line, files[SLAVES_MAX];

	if (!next_line(rest, &line) || !is_priority(line))
		return false;
	add_line(&alternative->forms, line);
	for (size_t i = 0; i < alternative->slaves_count; i++)
		if (!next_line(rest, &files[i]))
			return false;
	for (size_t i = 0; i < alternative->slaves_count; i++) {
		const struct slave *slave = &alternative->slaves[i];

		if (files[slave->column].length == 0)
			continue;
		add_line(&alternative->forms, slave->names[SLAVE_NAME]);
		add_line(&alternative->forms, slave->names[SLAVE_LINK]);
		add_line(&alternative->forms, files[slave->column]);
	}
	return alternative->forms.length <= FORMS_MAX;
}

/* Reads one side; none is one without choices. */
static bool read_side(struct alternative *alternative, struct slice rest)
{
	struct slice path;

	if (!rest.data)
		return true;
	if (!read_head(alternative, &rest))
		return false;
	while (next_line(&rest, &path)) {
		struct choice *choice = &alternative->choices[alternative->choices_count];

		if (path.length == 0)
			return rest.length == 0;
		if (alternative->choices_count == CHOICES_MAX)
			return false;
		choice->path = path;
		choice->begin = alternative->forms.length;
		if (!read_choice(alternative, &rest))
			return false;
		choice->end = alternative->forms.length;
		alternative->choices_count++;
	}
	return false;
}

static void add_choices(struct entries *entries, enum entry_side side, const struct alternative *alternative)
{
	for (size_t i = 0; i < alternative->choices_count; i++) {
		const struct choice *choice = &alternative->choices[i];
		struct slice form = { alternative->forms.data + choice->begin, choice->end - choice->begin };

		entries_add(entries, side, 0, choice->path, form);
	}
}

/* ---- what comes of them ---- */

struct merged {
	struct slave slaves[2 * SLAVES_MAX]; /* those that a choice has, by name */
	const struct list_entry *choices[3 * CHOICES_MAX]; /* by path, as update-alternatives sorts them */
	size_t slaves_count, choices_count;
};

static int compare_slaves(const void *a, const void *b)
{
	int order = compare_names(a, b);

	return order ? order : compare_links(a, b);
}

static int compare_paths(const void *a, const void *b)
{
	const struct list_entry *const *left = a, *const *right = b;

	return slice_compare((*left)->key, (*right)->key);
}

/* The next slave of a form that has no more than those. */
static bool next_slave(struct slice *form, struct slave *ret_slave, struct slice *ret_file)
{
	return slice_cut(form, '\n', &ret_slave->names[SLAVE_NAME]) &&
	       slice_cut(form, '\n', &ret_slave->names[SLAVE_LINK]) && slice_cut(form, '\n', ret_file);
}

/* Which of the slaves, which are sorted, has the choice? Both are in one order: the walk goes on from @from. */
static size_t find_slave(const struct merged *merged, size_t from, const struct slave *slave)
{
	while (from < merged->slaves_count && compare_slaves(&merged->slaves[from], slave) != 0)
		from++;
	return from;
}

static void mark_slaves(const struct merged *merged, const struct list_entry *choice, bool *used)
{
	struct slice form = choice->text, file;
	struct slave slave;
	size_t at = 0;

	(void)slice_cut(&form, '\n', &file);
	while (next_slave(&form, &slave, &file)) {
		at = find_slave(merged, at, &slave);
		used[at] = true;
	}
}

/* Those of both sides that some choice has; false where they do not go together. */
static bool merge_slaves(struct merged *merged, const struct alternative *new, const struct alternative *own,
			 struct slice link)
{
	bool used[2 * SLAVES_MAX + 1] = { false };
	size_t kept = 0, all = new->slaves_count + own->slaves_count;

	memcpy(merged->slaves, new->slaves, new->slaves_count * sizeof *new->slaves);
	memcpy(merged->slaves + new->slaves_count, own->slaves, own->slaves_count * sizeof *own->slaves);
	merged->slaves_count = all;
	if (all)
		qsort(merged->slaves, all, sizeof *merged->slaves, compare_slaves);
	/* Of two that are the same, the first is found. */
	for (size_t i = 0; i < merged->choices_count; i++)
		mark_slaves(merged, merged->choices[i], used);
	for (size_t i = 0; i < all; i++)
		if (used[i])
			merged->slaves[kept++] = merged->slaves[i];
	merged->slaves_count = kept;
	return slaves_fit(merged->slaves, kept, link);
}

/* False where a side has a choice twice. */
static bool merge_choices(struct merged *merged, const struct entry_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct list_entry *entry = entry_row_take(&rows[i]);

		if (entry)
			merged->choices[merged->choices_count++] = entry;
	}
	if (merged->choices_count)
		qsort(merged->choices, merged->choices_count, sizeof *merged->choices, compare_paths);
	for (size_t i = 1; i < merged->choices_count; i++)
		if (slice_equal(merged->choices[i - 1]->key, merged->choices[i]->key))
			return false;
	return true;
}

static void render_choice(struct buffer *buffer, const struct merged *merged, const struct list_entry *choice)
{
	struct slice form = choice->text, file;
	struct slave slave;
	size_t at = 0;

	(void)slice_cut(&form, '\n', &file);
	add_line(buffer, choice->key);
	add_line(buffer, file);
	while (next_slave(&form, &slave, &file)) {
		size_t found = find_slave(merged, at, &slave);

		for (; at < found; at++)
			buffer_add(buffer, "\n", 1);
		add_line(buffer, file);
		at++;
	}
	for (; at < merged->slaves_count; at++)
		buffer_add(buffer, "\n", 1);
}

static char *render(const struct merged *merged, bool manual, struct slice link)
{
	CLEANUP_BUFFER struct buffer buffer = { 0 };

	buffer_add_text(&buffer, manual ? "manual\n" : "auto\n");
	add_line(&buffer, link);
	for (size_t i = 0; i < merged->slaves_count; i++) {
		add_line(&buffer, merged->slaves[i].names[SLAVE_NAME]);
		add_line(&buffer, merged->slaves[i].names[SLAVE_LINK]);
	}
	buffer_add(&buffer, "\n", 1);
	for (size_t i = 0; i < merged->choices_count; i++)
		render_choice(&buffer, merged, merged->choices[i]);
	buffer_add(&buffer, "\n", 1);
	return buffer_finish(&buffer);
}

struct work {
	struct alternative sides[ENTRY_SIDES];
	struct merged merged;
	struct entries entries;
};

static int merge(struct work *work, const struct three_texts *texts, char **ret_text, bool *ret_automatic)
{
	const struct alternative *old = &work->sides[ENTRY_OLD], *new = &work->sides[ENTRY_NEW];
	const struct alternative *own = &work->sides[ENTRY_OWN];
	struct slice link = texts->own ? own->link : new->link;
	bool manual = texts->own ? own->manual : new->manual;
	CLEANUP_FREE struct entry_row *rows = NULL;
	size_t count;
	char *text;
	int r;

	if (texts->old && texts->own && texts->new && own->manual == old->manual)
		manual = new->manual;
	if (texts->new && texts->own && !slice_equal(new->link, own->link))
		return -EINVAL;
	r = entries_align(&work->entries, &rows, &count);
	if (r < 0)
		return r;
	if (!merge_choices(&work->merged, rows, count) || !merge_slaves(&work->merged, new, own, link))
		return -EINVAL;
	text = work->merged.choices_count ? render(&work->merged, manual, link) : NULL;
	if (work->merged.choices_count && !text)
		return -ENOMEM;
	*ret_text = text;
	*ret_automatic = text && !manual;
	return 0;
}

int alternative_merge(const struct three_texts *texts, char **ret_text, bool *ret_automatic)
{
	CLEANUP_FREE struct work *work = NULL;
	const char *whole;
	bool read = true;
	int r = 0;

	if (three_take_whole(texts, &whole)) {
		char *text = whole ? strdup(whole) : NULL;

		return whole && !text ? -ENOMEM : (*ret_text = text, *ret_automatic = false, 0);
	}
	work = calloc(1, sizeof *work);
	if (!work)
		return -ENOMEM;
	for (enum entry_side side = 0; side < ENTRY_SIDES; side++) {
		struct alternative *alternative = &work->sides[side];

		read = read && read_side(alternative, three_side(texts, side));
		if (alternative->forms.failed)
			r = -ENOMEM;
		else if (read)
			add_choices(&work->entries, side, alternative);
	}
	if (r == 0)
		r = read ? merge(work, texts, ret_text, ret_automatic) : -EINVAL;
	entries_free(&work->entries);
	for (enum entry_side side = 0; side < ENTRY_SIDES; side++)
		buffer_free(&work->sides[side].forms);
	return r;
}
