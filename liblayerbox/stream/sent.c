/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sent.h"

#include "../util/array.h"

void sent_free(struct sent *sent)
{
	text_list_free(&sent->labels);
	text_list_free(&sent->gone);
	free(sent->states);
}

int sent_add(struct lb_context *ctx, const struct lb_snapshot *snapshot, struct sent *sent)
{
	struct sent_state *states =
		array_grow(sent->states, sent->labels.count, &sent->capacity, sizeof *states);

	if (!states)
		return fail_memory(ctx);
	sent->states = states;
	states[sent->labels.count] = (struct sent_state){ snapshot->record.created, snapshot->record.expires };
	return text_list_add(&sent->labels, snapshot->label) < 0 ? fail_memory(ctx) : 0;
}

static const struct lb_snapshot *find(struct lb_snapshot *const *snapshots, const char *label)
{
	while (*snapshots && !text_equal((*snapshots)->label, label))
		snapshots++;
	return *snapshots;
}

static int note_gone(struct lb_context *ctx, struct sent *sent, size_t i)
{
	size_t rest = --sent->labels.count - i;

	if (text_list_add(&sent->gone, sent->labels.items[i]) < 0) {
		sent->labels.count++;
		return fail_memory(ctx);
	}
	free(sent->labels.items[i]);
	memmove(&sent->labels.items[i], &sent->labels.items[i + 1], rest * sizeof *sent->labels.items);
	memmove(&sent->states[i], &sent->states[i + 1], rest * sizeof *sent->states);
	return 0;
}

static int changed(const struct lb_snapshot *snapshot)
{
	return fail(snapshot->ctx, -LB_ERR_CONFLICT,
		    "snapshot '%s' of container '%s' was changed after it had been sent; begin the move again",
		    snapshot->label, snapshot->container);
}

int sent_compare(struct lb_context *ctx, struct lb_snapshot *const *snapshots, struct sent *sent,
		 const struct lb_snapshot **ret_next)
{
	int r = 0;

	for (size_t i = sent->labels.count; r == 0 && i-- > 0;) {
		const struct lb_snapshot *snapshot = find(snapshots, sent->labels.items[i]);

		if (!snapshot)
			r = note_gone(ctx, sent, i);
		else if (snapshot->record.created != sent->states[i].created ||
			 snapshot->record.expires != sent->states[i].expires)
			r = changed(snapshot);
	}
	*ret_next = NULL;
	for (; r == 0 && *snapshots && !*ret_next; snapshots++) {
		if (text_list_has(&sent->gone, (*snapshots)->label))
			r = changed(*snapshots);
		else if (!text_list_has(&sent->labels, (*snapshots)->label))
			*ret_next = *snapshots;
	}
	return r;
}

static void add(char text[SENT_FORGET_SIZE], const char *label)
{
	size_t length = strlen(text);

	if (length + strlen(label) + 2 <= SENT_FORGET_SIZE)
		snprintf(text + length, SENT_FORGET_SIZE - length, "%s%s", length ? "," : "", label);
}

void sent_to_forget(const struct sent *sent, const char *label, char ret_text[SENT_FORGET_SIZE])
{
	*ret_text = '\0';
	if (*label)
		add(ret_text, label);
	for (size_t i = 0; i < sent->gone.count; i++)
		if (!text_equal(sent->gone.items[i], label))
			add(ret_text, sent->gone.items[i]);
	if (!*ret_text)
		text_copy(ret_text, SENT_FORGET_SIZE, "-");
}
