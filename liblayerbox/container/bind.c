/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bind.h"

#include <ctype.h>

static const char form[] = "must be SRC:DST or SRC:DST:ro, two absolute paths in their shortest form: no `..` or `.`, no "
			   "double slash or one at the end, no colon or control character in them";
static const char no_memory[] = "could not be kept: out of memory";

/*
 * What the init of a container mounts its own over, or empties: what is mounted below would not be seen, and what is
 * shared there would be deleted.
 */
static const char *const taken[] = { "/dev", "/proc", "/run", "/sys", "/tmp", "/var/run", "/var/tmp" };

bool bind_is_key(const char *key)
{
	const char *name = text_after(key, BIND_PREFIX);

	return name && name_is_valid(name);
}

static bool is_path(const char *path)
{
	for (const char *p = path; *p; p++)
		if (iscntrl((unsigned char)*p))
			return false;
	if (*path != '/' || !path[1])
		return false;
	while (*path == '/') {
		size_t n = strcspn(++path, "/");

		if (n == 0 || (n == 1 && *path == '.') || (n == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		path += n;
	}
	return true;
}

static const char *check(const char *source, const char *target)
{
	if (!is_path(source) || !is_path(target) || strchr(" \\", target[strlen(target) - 1]))
		return form;
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
		const char *rest = text_after(target, taken[i]);

		if (rest && (!*rest || *rest == '/'))
			return "must not have its DST in /dev, /proc, /run, /sys, /tmp, /var/run or /var/tmp: the "
			       "container's system covers or empties them";
	}
	return NULL;
}

static const char *parse(const char *value, struct bind *bind)
{
	CLEANUP_FREE char *copy = strdup(value);
	char *rest = copy, *source, *target, *option;
	const char *why;

	if (!copy)
		return no_memory;
	if (strlen(value) > BIND_LINE_MAX)
		return "must not be longer than 1000 bytes";
	source = strsep(&rest, ":");
	target = strsep(&rest, ":");
	option = strsep(&rest, ":");
	if (!target || rest || (option && !text_equal(option, "ro")))
		return form;
	why = check(source, target);
	if (why)
		return why;
	bind->source = strdup(source);
	bind->target = strdup(target);
	bind->read_only = option;
	return bind->source && bind->target ? NULL : no_memory;
}

static void bind_free(struct bind *bind)
{
	free(bind->source);
	free(bind->target);
}

static void take_away(struct bind_list *list, size_t index)
{
	bind_free(&list->items[index]);
	list->count--;
	memmove(list->items + index, list->items + index + 1, (list->count - index) * sizeof *list->items);
}

static size_t index_of(const struct bind_list *list, const char *key)
{
	size_t i = 0;

	while (i < list->count && !text_equal(list->items[i].key, key))
		i++;
	return i;
}

/* Is there room for it, and nobody else at its target? */
static const char *refuse(const struct bind_list *list, const struct bind *bind)
{
	if (list->count == BINDS_MAX && index_of(list, bind->key) == list->count)
		return "must not be one more: a container can have 32 of them";
	for (size_t i = 0; i < list->count; i++)
		if (text_equal(list->items[i].target, bind->target) && !text_equal(list->items[i].key, bind->key))
			return "must not have the DST that another mount of the container has";
	return NULL;
}

static const char *put(struct bind_list *list, struct bind *bind)
{
	const char *why = refuse(list, bind);
	struct bind *items = why ? NULL : reallocarray(list->items, list->count + 1, sizeof *items);
	size_t at = 0;

	if (!items)
		return why ? why : no_memory;
	list->items = items;
	if (index_of(list, bind->key) < list->count)
		take_away(list, index_of(list, bind->key));
	while (at < list->count && strcmp(items[at].target, bind->target) < 0)
		at++;
	memmove(items + at + 1, items + at, (list->count++ - at) * sizeof *items);
	items[at] = *bind;
	*bind = (struct bind){ 0 };
	return NULL;
}

const char *bind_list_set(struct bind_list *list, const char *key, const char *value)
{
	CLEANUP(bind_free) struct bind bind = { 0 };
	const char *why;

	if (!bind_is_key(key) || !text_copy(bind.key, sizeof bind.key, key))
		return "must be called by a DNS label";
	if (!*value) {
		if (index_of(list, key) < list->count)
			take_away(list, index_of(list, key));
		return NULL;
	}
	why = parse(value, &bind);
	return why ? why : put(list, &bind);
}

const struct bind *bind_list_find(const struct bind_list *list, const char *key)
{
	size_t i = index_of(list, key);

	return i < list->count ? &list->items[i] : NULL;
}

char *bind_format(const struct bind *bind)
{
	return bind ? text_format("%s:%s%s", bind->source, bind->target, bind->read_only ? ":ro" : "") : strdup("");
}

void bind_list_free(struct bind_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		bind_free(&list->items[i]);
	free(list->items);
	*list = (struct bind_list){ 0 };
}
