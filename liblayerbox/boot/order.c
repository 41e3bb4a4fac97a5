/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "order.h"

struct node {
	const struct order_member *member;
	size_t *after;                /* indexes */
	size_t after_count;
	enum order_state state;
	int64_t through_ms;
};

struct order {
	struct node *nodes;           /* as the members are */
	struct node **by_name, **by_turn;
	size_t count, left;
	int64_t begin_ms;
	bool is_dropped;
	struct text_list broken;
};

/* ---- who comes after whom ---- */

static int compare_names(const void *a, const void *b)
{
	const struct node *const *x = a, *const *y = b;

	return strcmp((*x)->member->name, (*y)->member->name);
}

static int compare_turns(const void *a, const void *b)
{
	const struct node *const *x = a, *const *y = b;
	uint64_t one = (*x)->member->priority, other = (*y)->member->priority;

	return one != other ? (one > other ? -1 : 1) : compare_names(a, b);
}

static const struct node *find(const struct order *order, const char *name)
{
	const struct order_member member = { .name = name };
	const struct node wanted = { .member = &member }, *key = &wanted;
	struct node **found = bsearch(&key, order->by_name, order->count, sizeof *order->by_name, compare_names);

	return found ? *found : NULL;
}

static int connect_node(struct order *order, struct node *node)
{
	const struct text_list *names = node->member->after;

	if (!names || !names->count)
		return 0;
	node->after = calloc(names->count, sizeof *node->after);
	if (!node->after)
		return -ENOMEM;
	for (size_t i = 0; i < names->count; i++) {
		const struct node *other = find(order, names->items[i]);

		if (other && other != node)
			node->after[node->after_count++] = (size_t)(other - order->nodes);
	}
	return 0;
}

static int graph_make(const struct order_member *members, size_t count, struct order *order)
{
	*order = (struct order){ .count = count };
	order->nodes = calloc(count + 1, sizeof *order->nodes);
	order->by_name = calloc(count + 1, sizeof *order->by_name);
	order->by_turn = calloc(count + 1, sizeof *order->by_turn);
	if (!order->nodes || !order->by_name || !order->by_turn)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		order->nodes[i] = (struct node){ .member = &members[i], .state = members[i].state };
		order->by_name[i] = order->by_turn[i] = &order->nodes[i];
	}
	qsort(order->by_name, count, sizeof *order->by_name, compare_names);
	qsort(order->by_turn, count, sizeof *order->by_turn, compare_turns);
	for (size_t i = 0; i < count; i++)
		if (connect_node(order, &order->nodes[i]) < 0)
			return -ENOMEM;
	return 0;
}

static void graph_free(struct order *order)
{
	for (size_t i = 0; order->nodes && i < order->count; i++)
		free(order->nodes[i].after);
	free(order->nodes);
	free(order->by_name);
	free(order->by_turn);
	text_list_free(&order->broken);
}

/* ---- cycles ---- */

/*
 * The shortest way from @from to @to, each coming after the one before it in the way: for each node that was reached,
 * *ret_previous has one more than the index from where; 0 for others. 1, 0 or -ENOMEM.
 */
static int find_way(const struct order *order, size_t from, size_t to, size_t **ret_previous)
{
	CLEANUP_FREE size_t *previous = calloc(order->count, sizeof *previous);
	CLEANUP_FREE size_t *queue = calloc(order->count + 1, sizeof *queue);
	size_t first = 0, count = 0;

	if (!previous || !queue)
		return -ENOMEM;
	queue[count++] = from;
	while (first < count && !previous[to]) {
		size_t at = queue[first++];
		const struct node *node = &order->nodes[at];

		for (size_t i = 0; i < node->after_count; i++) {
			if (previous[node->after[i]])
				continue;
			previous[node->after[i]] = at + 1;
			queue[count++] = node->after[i];
		}
	}
	if (!previous[to])
		return 0;
	*ret_previous = TAKE_PTR(previous);
	return 1;
}

/* Takes edges away until there is no cycle; which ones is settled by the names, and no more than have to go. */
static int break_cycles(struct order *order)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < order->count; i++) {
		struct node *node = order->by_name[i];
		size_t own = (size_t)(node - order->nodes), kept = 0;

		for (size_t k = 0; r >= 0 && k < node->after_count; k++) {
			CLEANUP_FREE size_t *previous = NULL;

			r = find_way(order, node->after[k], own, &previous);
			if (r == 0)
				node->after[kept++] = node->after[k];
		}
		if (r >= 0 && kept < node->after_count)
			r = text_list_add(&order->broken, node->member->name);
		node->after_count = kept;
	}
	return r < 0 ? r : 0;
}

int order_find_cycle(const struct order_member *members, size_t count, const char *name, struct text_list *ret_names)
{
	CLEANUP_TEXT_LIST struct text_list backwards = { 0 };
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FREE size_t *previous = NULL;
	CLEANUP(graph_free) struct order order;
	int r = graph_make(members, count, &order);
	const struct node *node = r == 0 ? find(&order, name) : NULL;
	size_t start = node ? (size_t)(node - order.nodes) : 0, at;

	if (r < 0 || !node)
		return r;
	r = find_way(&order, start, start, &previous);
	if (r <= 0)
		return r;
	at = start;
	do {
		at = previous[at] - 1;
		r = text_list_add(&backwards, members[at].name);
	} while (r == 0 && at != start);
	for (size_t i = backwards.count; r == 0 && i-- > 0;)
		r = text_list_add(&names, backwards.items[i]);
	if (r < 0)
		return r;
	*ret_names = names;
	names = (struct text_list){ 0 };
	return 1;
}

char *order_cycle_text(const struct text_list *names)
{
	CLEANUP_BUFFER struct buffer text = { 0 };

	for (size_t i = 0; i < names->count; i++)
		buffer_format(&text, i ? ", %s after %s" : "%s comes after %s", names->items[i],
			      names->items[(i + 1) % names->count]);
	return buffer_finish(&text);
}

/* ---- the order itself ---- */

int order_make(const struct order_member *members, size_t count, int64_t now_ms, struct order **ret_order)
{
	CLEANUP_ORDER struct order *order = calloc(1, sizeof *order);
	int r = order ? graph_make(members, count, order) : -ENOMEM;

	if (r == 0)
		r = break_cycles(order);
	if (r < 0)
		return r;
	order->begin_ms = now_ms;
	for (size_t i = 0; i < count; i++) {
		order->nodes[i].through_ms = now_ms;
		order->left += members[i].state != ORDER_THROUGH;
	}
	*ret_order = TAKE_PTR(order);
	return 0;
}

void order_free(struct order **order)
{
	if (*order)
		graph_free(*order);
	free(*order);
}

/* From when on it may begin; ORDER_NEVER where that is not known yet. */
static int64_t due_of(const struct order *order, const struct node *node)
{
	int64_t from = order->begin_ms;

	if (order->is_dropped)
		return from;
	for (size_t i = 0; i < node->after_count; i++) {
		const struct node *other = &order->nodes[node->after[i]];

		if (other->state != ORDER_THROUGH)
			return ORDER_NEVER;
		if (other->through_ms > from)
			from = other->through_ms;
	}
	return from + (int64_t)node->member->delay_ms;
}

ssize_t order_next(struct order *order, int64_t now_ms)
{
	for (size_t i = 0; i < order->count; i++) {
		struct node *node = order->by_turn[i];
		int64_t due = node->state == ORDER_WAITS ? due_of(order, node) : ORDER_NEVER;

		if (due == ORDER_NEVER || due > now_ms)
			continue;
		node->state = ORDER_BEGUN;
		return node - order->nodes;
	}
	return ORDER_NOBODY;
}

int64_t order_due(const struct order *order)
{
	int64_t first = ORDER_NEVER;

	for (size_t i = 0; i < order->count; i++) {
		const struct node *node = &order->nodes[i];
		int64_t due = node->state == ORDER_WAITS ? due_of(order, node) : ORDER_NEVER;

		if (due != ORDER_NEVER && (first == ORDER_NEVER || due < first))
			first = due;
	}
	return first;
}

void order_drop(struct order *order)
{
	order->is_dropped = true;
}

void order_through(struct order *order, size_t index, int64_t now_ms)
{
	struct node *node = &order->nodes[index];

	if (node->state == ORDER_THROUGH)
		return;
	node->state = ORDER_THROUGH;
	node->through_ms = now_ms;
	order->left--;
}

const struct text_list *order_get_broken(const struct order *order)
{
	return &order->broken;
}

size_t order_left(const struct order *order)
{
	return order->left;
}
