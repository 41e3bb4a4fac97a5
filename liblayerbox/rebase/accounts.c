/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "accounts.h"

#include <inttypes.h>

#include "account-line.h"
#include "account-numbers.h"
#include "entries.h"

enum { KIND_ACCOUNT, KIND_LINE };

struct merge {
	const struct account_form *form;
	struct report *report;
	struct entries entries;
	struct account_numbers numbers;
	struct buffer text;
	bool failed;
};

static void add_side(struct merge *merge, enum entry_side side, struct slice rest)
{
	struct account_line account;
	struct slice line;

	while (slice_cut(&rest, '\n', &line)) {
		if (line.length == 0)
			continue;
		if (account_line_read(merge->form, line, &account))
			entries_add(&merge->entries, side, KIND_ACCOUNT, account.fields[0], line);
		else
			entries_add(&merge->entries, side, KIND_LINE, line, line);
	}
}

/*
 * A name can have many ranges of subordinate ids; of which of them would a changed one be the successor? Where a side
 * has many of a name, each line of it stands for itself, in all three.
 */
static void split_ranges(struct entries *entries)
{
	entries_sort(entries);
	for (size_t i = 0, n; i < entries->count; i += n) {
		struct list_entry *first = &entries->items[i];
		bool many = false;

		for (n = 1; i + n < entries->count && entry_same_key(first, &first[n]); n++)
			many = many || first[n].side == first[n - 1].side;
		for (size_t j = 0; j < n && many; j++)
			first[j].key = first[j].text;
	}
}

static void add_number(struct merge *merge, const struct account_line *line, bool in_new, bool in_own)
{
	struct account_number number = { line->fields[0], line->number, line->end, in_new, in_own };

	if (merge->form->number || merge->form->ranges)
		account_numbers_add(&merge->numbers, number);
}

static bool same_number(const struct account_line *a, const struct account_line *b)
{
	return a->number == b->number && a->end == b->end;
}

/* Two numbers for one account: there is no side to take, since files belong to both. */
static void report_two_numbers(struct merge *merge, const struct account_line *old, const struct account_line *new,
			       const struct account_line *own)
{
	const struct account_form *form = merge->form;
	struct account_name name = account_name(own->fields[0]);

	if (old && same_number(old, own))
		report_add(merge->report, LB_REBASE_ACCOUNT, LB_REBASE_CONFLICT, name.text,
			   "the new base has another number for the %s %s, %" PRIu64 " instead of %" PRIu64
			   ", which owns files in the container; rebase to a generation where it has its number, or "
			   "change it in the container first (%s, then chown what it owns)",
			   form->what, name.text, new->number, own->number, form->change_number);
	else
		report_add(merge->report, LB_REBASE_ACCOUNT, LB_REBASE_CONFLICT, name.text,
			   "the %s %s has number %" PRIu64 " in the container and %" PRIu64 " in the new base; change "
			   "it in the container first (%s, then chown what it owns), or give it another name there",
			   form->what, name.text, own->number, new->number, form->change_number);
}

/* The names of fields, in the order of the line. */
static char *field_names(const struct account_form *form, unsigned fields)
{
	CLEANUP_BUFFER struct buffer names = { 0 };

	for (unsigned i = 0; i < form->fields; i++) {
		if (!(fields & 1U << i))
			continue;
		fields &= ~(1U << i);
		buffer_format(&names, "%s%s", names.length == 0 ? "" : fields ? ", " : " and ", form->names[i]);
	}
	return buffer_finish(&names);
}

/* @clashes: bits of fields in which the container's was taken against the base's. */
static void report_both_changed(struct merge *merge, struct slice name_piece, unsigned clashes,
				bool had_old)
{
	struct account_name name = account_name(name_piece);
	CLEANUP_FREE char *fields = field_names(merge->form, clashes);
	const char *verb = had_old ? "changed" : "brought";

	merge->failed = merge->failed || !fields;
	if (clashes)
		report_add(merge->report, LB_REBASE_ACCOUNT, LB_REBASE_STAYS, name.text,
			   "both the container and the new base %s the %s %s in /%s: %s as in the container", verb,
			   merge->form->what, name.text, merge->form->path, fields ? fields : "");
	else
		report_add(merge->report, LB_REBASE_ACCOUNT, LB_REBASE_MERGED, name.text,
			   "both the container and the new base %s the %s %s in /%s: both count", verb,
			   merge->form->what, name.text, merge->form->path);
}

/* Names that commas separate: what a side added comes, what a side removed goes. */
static void merge_set(struct merge *merge, const struct slice *sets)
{
	CLEANUP_ENTRIES struct entries members = { 0 };
	CLEANUP_FREE struct entry_row *rows = NULL;
	size_t count = 0, taken = 0;

	for (enum entry_side side = 0; side < ENTRY_SIDES; side++) {
		struct slice rest = sets[side], name;

		while (slice_cut(&rest, ',', &name))
			if (name.length)
				entries_add(&members, side, 0, name, name);
	}
	merge->failed = entries_align(&members, &rows, &count) < 0 || merge->failed;
	for (size_t i = 0; i < count; i++) {
		const struct list_entry *member = entry_row_take(&rows[i]);

		if (member && taken++)
			buffer_add(&merge->text, ",", 1);
		if (member)
			buffer_add_slice(&merge->text, member->text);
	}
}

/* Adds the field as the side has it that changed it; true where both did, and the container's was taken. */
static bool merge_field(struct merge *merge, const struct slice *fields, bool had_old)
{
	const struct slice old = fields[ENTRY_OLD], new = fields[ENTRY_NEW], own = fields[ENTRY_OWN];
	bool own_same = had_old && slice_equal(own, old), new_same = had_old && slice_equal(new, old);

	buffer_add_slice(&merge->text, own_same ? new : own);
	return !own_same && !new_same && !slice_equal(new, own);
}

/* An account that both have, and not the same; @old may be NULL. @both: no side has it as the old base. */
static void merge_fields(struct merge *merge, const struct account_line *old, const struct account_line *new,
			 const struct account_line *own, bool both)
{
	const struct account_form *form = merge->form;
	unsigned clashes = 0;

	for (unsigned i = 0; i < form->fields; i++) {
		const struct slice fields[] = { old ? old->fields[i] : (struct slice){ 0 }, new->fields[i],
						     own->fields[i] };

		if (i)
			buffer_add(&merge->text, ":", 1);
		if (i == 0 || i == form->number)
			buffer_add_slice(&merge->text, own->fields[i]);
		else if ((form->sets & 1U << i) && !slice_equal(new->fields[i], own->fields[i]))
			merge_set(merge, fields);
		else if (merge_field(merge, fields, old))
			clashes |= 1U << i;
	}
	buffer_add(&merge->text, "\n", 1);
	add_number(merge, own, same_number(new, own), true);
	if (!same_number(new, own) && !(old && same_number(old, new)))
		report_two_numbers(merge, old, new, own);
	else if (both && (!clashes || (clashes & ~form->quiet)))
		report_both_changed(merge, own->fields[0], clashes & ~form->quiet, old);
}

static void add_entry(struct merge *merge, const struct list_entry *entry)
{
	buffer_add_slice(&merge->text, entry->text);
	buffer_add(&merge->text, "\n", 1);
}

/* Subordinate ids own files as others do, but nothing of the base depends on which they are: the container's stay. */
static void keep_range(struct merge *merge, const struct account_line *new, const struct account_line *own,
		       const struct entry_row *row)
{
	struct account_name name = account_name(own->fields[0]);

	add_entry(merge, row->sides[ENTRY_OWN]);
	add_number(merge, own, same_number(new, own), true);
	if (!same_number(new, own) && !entries_same(row->sides[ENTRY_OLD], row->sides[ENTRY_NEW]))
		report_add(merge->report, LB_REBASE_ACCOUNT, LB_REBASE_STAYS, name.text,
			   "the new base has other subordinate ids for the user %s in /%s: as in the container",
			   name.text, merge->form->path);
}

static void merge_account(struct merge *merge, const struct entry_row *row)
{
	const struct list_entry *old_entry = row->sides[ENTRY_OLD], *new_entry = row->sides[ENTRY_NEW];
	const struct list_entry *own_entry = row->sides[ENTRY_OWN];
	struct account_line old = { 0 }, new = { 0 }, own = { 0 };

	/* What the container removed stays removed; what the base removed stays, since files may belong to it. */
	if (!own_entry && (!new_entry || old_entry))
		return;
	if (old_entry)
		(void)account_line_read(merge->form, old_entry->text, &old);
	if (new_entry)
		(void)account_line_read(merge->form, new_entry->text, &new);
	if (own_entry)
		(void)account_line_read(merge->form, own_entry->text, &own);
	if (new_entry && own_entry && merge->form->ranges) {
		keep_range(merge, &new, &own, row);
	} else if (!new_entry || !own_entry || entries_same(new_entry, own_entry)) {
		add_entry(merge, own_entry ? own_entry : new_entry);
		add_number(merge, own_entry ? &own : &new, new_entry, own_entry);
	} else {
		merge_fields(merge, old_entry ? &old : NULL, &new, &own,
			     !entries_same(old_entry, new_entry) && !entries_same(old_entry, own_entry));
	}
}

static int merge_text(struct merge *merge, const struct three_texts *texts)
{
	CLEANUP_FREE struct entry_row *rows = NULL;
	size_t count;
	int r;

	for (enum entry_side side = 0; side < ENTRY_SIDES; side++)
		add_side(merge, side, three_side(texts, side));
	if (merge->form->ranges)
		split_ranges(&merge->entries);
	r = entries_align(&merge->entries, &rows, &count);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		const struct list_entry *line = entry_row_take(&rows[i]);

		if (rows[i].kind == KIND_ACCOUNT)
			merge_account(merge, &rows[i]);
		else if (line)
			add_entry(merge, line);
	}
	account_numbers_check(&merge->numbers, merge->form, merge->report);
	return merge->failed || merge->numbers.failed ? -ENOMEM : 0;
}

/* Does the container's count as a whole? Not where only the base changed it: no account goes, and no number changes. */
static bool stays_whole(const struct three_texts *texts)
{
	if (!texts->new || !texts->own)
		return texts->own && !texts->old;
	return text_equal(texts->new, texts->own) || (texts->old && text_equal(texts->new, texts->old));
}

static int merge_file(enum account_file file, const struct three_texts *texts, struct report *report, char **ret_text)
{
	struct merge merge = { .form = account_form(file), .report = report };
	char *text = NULL;
	int r;

	if (!texts->new && !texts->own)
		return *ret_text = NULL, 0;
	if (stays_whole(texts)) {
		text = strdup(texts->own);
		return text ? *ret_text = text, 0 : -ENOMEM;
	}
	r = merge_text(&merge, texts);
	if (r == 0)
		text = buffer_finish(&merge.text);
	if (r == 0 && text)
		*ret_text = text;
	buffer_free(&merge.text);
	account_numbers_free(&merge.numbers);
	entries_free(&merge.entries);
	return r == 0 && !text ? -ENOMEM : r;
}

int accounts_merge(const struct three_texts texts[ACCOUNT_FILES], struct report *report,
		   char *ret_texts[ACCOUNT_FILES])
{
	char *merged[ACCOUNT_FILES] = { NULL };
	int r = 0;

	for (enum account_file file = 0; file < ACCOUNT_FILES && r == 0; file++)
		r = merge_file(file, &texts[file], report, &merged[file]);
	for (enum account_file file = 0; file < ACCOUNT_FILES; file++) {
		if (r == 0)
			ret_texts[file] = merged[file];
		else
			free(merged[file]);
	}
	return r;
}
