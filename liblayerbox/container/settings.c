/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "settings.h"

#include <ctype.h>

#include "../core/keep.h"
#include "../core/schedule.h"
#include "../util/keyfile.h"
#include "rate.h"

/* A line of text that a record can hold as it is. */
static const char *set_line(char **member, const char *value)
{
	if (strlen(value) > 1000)
		return "must not be longer than 1000 bytes";
	for (const char *p = value; *p; p++)
		if (iscntrl((unsigned char)*p))
			return "must be one line without control characters";
	if (*value && (isspace((unsigned char)*value) || strchr("\\ ", value[strlen(value) - 1])))
		return "must neither begin nor end with a space, nor end with a backslash";
	return keyfile_take(member, value);
}

static char *get_line(const char *member)
{
	return strdup(member ? member : "");
}

static const char *set_description(struct record *record, const char *value)
{
	return set_line(&record->description, value);
}

static char *get_description(const struct record *record)
{
	return get_line(record->description);
}

static const char *set_health_command(struct record *record, const char *value)
{
	return set_line(&record->health_command, value);
}

static char *get_health_command(const struct record *record)
{
	return get_line(record->health_command);
}

static const char *set_snapshot_schedule(struct record *record, const char *value)
{
	struct schedule schedule;
	const char *why = !*value || text_equal(value, "none") ? NULL : schedule_parse(value, &schedule);

	return why ? why : keyfile_take(&record->snapshot_schedule, value);
}

static char *get_snapshot_schedule(const struct record *record)
{
	return get_line(record->snapshot_schedule);
}

static const char *set_snapshot_keep(struct record *record, const char *value)
{
	struct keep_policy policy;
	const char *why = keep_parse(value, &policy);

	return why ? why : keyfile_take(&record->snapshot_keep, value);
}

static char *get_snapshot_keep(const struct record *record)
{
	return get_line(record->snapshot_keep);
}

static const char *set_backup_pre(struct record *record, const char *value)
{
	return set_line(&record->backup_pre, value);
}

static char *get_backup_pre(const struct record *record)
{
	return get_line(record->backup_pre);
}

static const char *set_backup_post(struct record *record, const char *value)
{
	return set_line(&record->backup_post, value);
}

static char *get_backup_post(const struct record *record)
{
	return get_line(record->backup_post);
}

static const char *set_autostart(struct record *record, const char *value)
{
	return text_to_bool(value, &record->autostart) ? NULL : "must be yes or no";
}

static char *get_autostart(const struct record *record)
{
	return strdup(record->autostart ? "yes" : "no");
}

/* 512M, 1.5G is not one: whole numbers with a unit, in powers of 1024. */
static const char *set_memory(struct record *record, const char *value)
{
	static const char units[] = "KMGT";
	static const char rule[] = "must be a size such as 512M or 2G (K, M, G, T are powers of 1024), at least 4M";
	char digits[24];
	size_t n = strspn(value, "0123456789");
	const char *unit;
	uint64_t number;

	if (!*value) {
		record->limits.memory_bytes = 0;
		return NULL;
	}
	if (n >= sizeof digits)
		return rule;
	memcpy(digits, value, n);
	digits[n] = '\0';
	if (!text_to_number(digits, 1, UINT64_MAX >> 1, &number))
		return rule;
	unit = value[n] ? strchr(units, toupper((unsigned char)value[n])) : NULL;
	if (value[n] && (!unit || (value[n + 1] && !text_equal(value + n + 1, "iB"))))
		return rule;
	for (; unit && unit >= units; unit--)
		if (__builtin_mul_overflow(number, 1024U, &number) || number > UINT64_MAX >> 1)
			return rule;
	if (number < 4U << 20)
		return rule;
	record->limits.memory_bytes = number;
	return NULL;
}

static char *get_memory(const struct record *record)
{
	static const char units[] = "KMGT";
	uint64_t number = record->limits.memory_bytes;
	int unit = -1;

	if (!number)
		return strdup("");
	while (unit < 3 && number % 1024 == 0) {
		number /= 1024;
		unit++;
	}
	return text_format("%llu%.*s", (unsigned long long)number, unit >= 0, unit >= 0 ? units + unit : "");
}

/* 0.5, 2, 1.25: cores, in thousandths. */
static const char *set_cpus(struct record *record, const char *value)
{
	static const char rule[] = "must be a number of cores such as 0.5 or 2, from 0.01 to 4096";
	char whole[16], fraction[4] = "000";
	size_t n = strcspn(value, "."), digits;
	uint64_t cores, thousandths;

	if (!*value) {
		record->limits.cpu_millis = 0;
		return NULL;
	}
	if (n == 0 || n >= sizeof whole)
		return rule;
	memcpy(whole, value, n);
	whole[n] = '\0';
	if (value[n] == '.') {
		digits = strlen(value + n + 1);
		if (digits < 1 || digits > 3)
			return rule;
		memcpy(fraction, value + n + 1, digits);
	}
	if (!text_to_number(whole, 0, 4096, &cores) || !text_to_number(fraction, 0, 999, &thousandths))
		return rule;
	if (cores * 1000 + thousandths < 10)
		return rule;
	record->limits.cpu_millis = cores * 1000 + thousandths;
	return NULL;
}

static char *get_cpus(const struct record *record)
{
	unsigned millis = (unsigned)(record->limits.cpu_millis % 1000),
		 cores = (unsigned)(record->limits.cpu_millis / 1000);
	char *text;

	if (!record->limits.cpu_millis)
		return strdup("");
	if (!millis)
		return text_format("%u", cores);
	text = text_format("%u.%03u", cores, millis);
	for (size_t n = text ? strlen(text) : 0; n && text[n - 1] == '0'; n--)
		text[n - 1] = '\0';
	return text;
}

static const char *set_pids(struct record *record, const char *value)
{
	if (!*value) {
		record->limits.pids = 0;
		return NULL;
	}
	return text_to_number(value, 1, 4194304, &record->limits.pids) ? NULL : "must be a number from 1 to 4194304";
}

static char *get_pids(const struct record *record)
{
	return record->limits.pids ? text_format("%llu", (unsigned long long)record->limits.pids) : strdup("");
}

static const char *set_rules(struct record *record, const char *value)
{
	struct egress_list rules;
	const char *why = egress_list_parse(value, &rules);

	if (why)
		return why;
	egress_list_free(&record->egress);
	record->egress = rules;
	return NULL;
}

static char *get_rules(const struct record *record)
{
	return egress_list_format(&record->egress);
}

static const char *set_isolated(struct record *record, const char *value)
{
	bool isolated;

	if (*value && !text_to_bool(value, &isolated))
		return "must be yes, no, or nothing: then it is as its network is";
	record->uplink.isolation = !*value ? ISOLATION_OF_NETWORK : isolated ? ISOLATION_YES : ISOLATION_NO;
	return NULL;
}

static char *get_isolated(const struct record *record)
{
	return strdup(record->uplink.isolation == ISOLATION_OF_NETWORK ? "" :
		      record->uplink.isolation == ISOLATION_YES	       ? "yes" :
									 "no");
}

static const char *set_ingress(struct record *record, const char *value)
{
	return rate_set(value, &record->uplink.ingress_bps);
}

static char *get_ingress(const struct record *record)
{
	return rate_to_text(record->uplink.ingress_bps);
}

static const char *set_egress(struct record *record, const char *value)
{
	return rate_set(value, &record->uplink.egress_bps);
}

static char *get_egress(const struct record *record)
{
	return rate_to_text(record->uplink.egress_bps);
}

static const struct setting_key keys[] = {
	{ "description", set_description, get_description, .is_limit = false },
	{ "autostart", set_autostart, get_autostart, .is_limit = false },
	{ "memory", set_memory, get_memory, .is_limit = true },
	{ "cpus", set_cpus, get_cpus, .is_limit = true },
	{ "pids", set_pids, get_pids, .is_limit = true },
	{ "net.rules", set_rules, get_rules, .is_firewall = true },
	{ "isolated", set_isolated, get_isolated, .is_uplink = true, .is_firewall = true },
	{ "net.ingress", set_ingress, get_ingress, .is_uplink = true },
	{ "net.egress", set_egress, get_egress, .is_firewall = true },
	{ "health.command", set_health_command, get_health_command, .is_limit = false },
	{ "snapshot.schedule", set_snapshot_schedule, get_snapshot_schedule, .is_limit = false },
	{ "snapshot.keep", set_snapshot_keep, get_snapshot_keep, .is_limit = false },
	{ "backup.pre", set_backup_pre, get_backup_pre, .is_limit = false },
	{ "backup.post", set_backup_post, get_backup_post, .is_limit = false },
	{ 0 },
};

const struct setting_key *settings_keys(void)
{
	return keys;
}

const struct setting_key *settings_find(const char *name)
{
	for (const struct setting_key *key = keys; key->name; key++)
		if (text_equal(key->name, name))
			return key;
	return NULL;
}

const char *lb_container_key(size_t index)
{
	return index < sizeof keys / sizeof *keys ? keys[index].name : NULL;
}
