/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "which.h"

#include <time.h>

static const char wrong[] = "must be NAME, NAME@2026-11-21, NAME@2026-11-21T17:22 or NAME@ID";

enum { ID_LENGTH_MIN = 6 };

static bool parse_id(const char *text, struct backup_which *which)
{
	size_t n = strlen(text);

	if (n < ID_LENGTH_MIN || strspn(text, "0123456789abcdef") != n)
		return false;
	return text_copy(which->id, sizeof which->id, text);
}

/* To the last second of what is named. */
static bool parse_time(const char *text, struct backup_which *which)
{
	static const struct {
		const char *format;
		int hour, minute, second; /* where the text does not say it */
	} forms[] = {
		{ "%Y-%m-%d", 23, 59, 59 },
		{ "%Y-%m-%dT%H:%M", -1, -1, 59 },
		{ "%Y-%m-%d %H:%M", -1, -1, 59 },
		{ "%Y-%m-%dT%H:%M:%S", -1, -1, -1 },
		{ "%Y-%m-%d %H:%M:%S", -1, -1, -1 },
	};

	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		struct tm parts = { .tm_isdst = -1 };
		const char *end = strptime(text, forms[i].format, &parts);

		if (!end || *end)
			continue;
		parts.tm_hour = forms[i].hour < 0 ? parts.tm_hour : forms[i].hour;
		parts.tm_min = forms[i].minute < 0 ? parts.tm_min : forms[i].minute;
		parts.tm_sec = forms[i].second < 0 ? parts.tm_sec : forms[i].second;
		parts.tm_isdst = -1;
		which->latest = (int64_t)mktime(&parts);
		return which->latest != -1;
	}
	return false;
}

const char *backup_which_parse(const char *text, struct backup_which *ret_which)
{
	struct backup_which which = { .latest = INT64_MAX };
	size_t n = strcspn(text, "@");

	if (n > NAME_LENGTH_MAX)
		return wrong;
	memcpy(which.name, text, n);
	if (!name_is_valid(which.name))
		return wrong;
	if (text[n] && !parse_id(text + n + 1, &which) && !parse_time(text + n + 1, &which))
		return wrong;
	*ret_which = which;
	return NULL;
}

static bool fits(const struct backup_which *which, const struct backup_entry *entry)
{
	return entry->created <= which->latest && text_after(entry->full_id, which->id);
}

const struct backup_entry *backup_which_choose(const struct backup_which *which, const struct backup_entries *entries,
					       const char *host, const char **ret_why)
{
	const struct backup_entry *own = NULL, *any = NULL;
	bool several = false;

	for (size_t i = 0; i < entries->count; i++) {
		const struct backup_entry *entry = &entries->items[i];

		if (!fits(which, entry))
			continue;
		several = several || (any && (*which->id || !text_equal(any->host, entry->host)));
		any = entry;
		if (text_equal(entry->host, host))
			own = entry;
	}
	if (several && *which->id)
		any = own = NULL, *ret_why = "more than one backup's ID begins so";
	else if (several && !own)
		any = NULL, *ret_why = "several hosts have backed up a container of that name, and this one has not: name it by its ID";
	else if (!any)
		*ret_why = entries->count ? "there is no such backup of it" : "there is no backup of it";
	return own ? own : any;
}
