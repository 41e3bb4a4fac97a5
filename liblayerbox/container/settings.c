/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "settings.h"

#include <ctype.h>
#include <stdio.h>

#include "../core/keep.h"
#include "../core/mail.h"
#include "../core/schedule.h"
#include "../health/target.h"
#include "../util/keyfile.h"
#include "amount.h"
#include "rate.h"

enum { LINE_MAX_BYTES = 1000, DAY_S = 24 * 60 * 60 };

/* ---- what a line can be ---- */

static const char *check_schedule(const char *value)
{
	struct schedule schedule;

	return text_equal(value, "none") ? NULL : schedule_parse(value, &schedule);
}

static const char *check_keep(const char *value)
{
	struct keep_policy policy;

	return keep_parse(value, &policy);
}

/* Names of containers, with one space between each two. */
static const char *check_names(const char *value)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };

	if (text_list_add_words(&names, value) < 0)
		return "does not fit into memory";
	for (size_t i = 0; i < names.count; i++)
		if (!name_is_valid(names.items[i]))
			return "must be names of containers, with spaces between them";
	return strstr(value, "  ") ? "must have one space between each two names" : NULL;
}

static const char *check_health_command(const char *value)
{
	struct health_target target;

	return health_command_parse(value, &target);
}

static const char *check_health_tcp(const char *value)
{
	struct health_target target;

	return health_tcp_parse(value, &target);
}

static const char *check_health_http(const char *value)
{
	struct health_target target;

	return health_http_parse(value, &target);
}

static bool is_run_on_host(const char *value)
{
	struct health_target target;

	return !health_command_parse(value, &target) && !target.inside;
}

static bool always(const char *value)
{
	(void)value;
	return true;
}

/* A program of the host by its path, or nobody. */
static const char *check_alert_command(const char *value)
{
	return *value == '/' || text_equal(value, "none") ? NULL : "must be the absolute path of a program, or none";
}

/* ---- those with a form of their own ---- */

static const char *set_memory(struct record *record, const char *value)
{
	return memory_set(value, &record->limits.memory_bytes);
}

static char *get_memory(const struct record *record)
{
	return memory_to_text(record->limits.memory_bytes);
}

static const char *set_cpus(struct record *record, const char *value)
{
	return cpus_set(value, &record->limits.cpu_millis);
}

static char *get_cpus(const struct record *record)
{
	return cpus_to_text(record->limits.cpu_millis);
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
	static const char *const texts[] = { "", "no", "yes" }; /* enum isolation */

	return strdup(texts[record->uplink.isolation]);
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

/* ---- the table ---- */

/* What it reaches is this host's, whatever its paths are. */
static const struct setting_key mount_key = {
	.name = "mount.NAME", .kind = SETTING_NAMED, .at_start = true, .is_of_host = always
};

static const char *const waits[] = { "", "running", "network", "system", "check", NULL }; /* enum boot_wait */
static const char *const policies[] = { "", "no", "on-failure", "always", NULL }; /* enum restart_policy */

#define LINE(path) .kind = SETTING_LINE, .member = offsetof(struct record, path)
#define YES(path) .kind = SETTING_YES, .member = offsetof(struct record, path)
#define YES_NO(path) .kind = SETTING_YES_NO, .member = offsetof(struct record, path)
#define NUMBER(path, most) .kind = SETTING_NUMBER, .member = offsetof(struct record, path), .max = (most)
#define SECONDS(path, most) .kind = SETTING_SECONDS, .member = offsetof(struct record, path), .max = (most)
#define WORD(path, list) .kind = SETTING_WORD, .member = offsetof(struct record, path), .words = (list)
#define OWN(name) .kind = SETTING_OWN, .set_own = set_##name, .get_own = get_##name

static const struct setting_key keys[] = {
	{ "description", LINE(description) },
	{ "autostart", YES_NO(autostart) },
	{ "memory", OWN(memory), .is_limit = true },
	{ "cpus", OWN(cpus), .is_limit = true },
	{ "pids", NUMBER(limits.pids, 4194304), .is_limit = true },
	{ "net.rules", OWN(rules), .is_firewall = true },
	{ "isolated", OWN(isolated), .is_uplink = true, .is_firewall = true },
	{ "net.ingress", OWN(ingress), .is_uplink = true },
	{ "net.egress", OWN(egress), .is_firewall = true },
	{ "boot.priority", NUMBER(boot.priority, 1000) },
	{ "boot.after", LINE(boot.after), .check = check_names, .is_order = true },
	{ "boot.delay", SECONDS(boot.delay_s, DAY_S) },
	{ "boot.wait", WORD(boot.wait, waits) },
	{ "boot.timeout", SECONDS(boot.timeout_s, DAY_S) },
	{ "health.command", LINE(health.command), .check = check_health_command, .is_of_host = is_run_on_host },
	{ "health.http", LINE(health.http), .check = check_health_http },
	{ "health.tcp", LINE(health.tcp), .check = check_health_tcp },
	{ "health.interval", SECONDS(health.interval_s, DAY_S) },
	{ "health.timeout", SECONDS(health.timeout_s, DAY_S) },
	{ "health.retries", NUMBER(health.retries, 1000) },
	{ "health.start_period", SECONDS(health.start_period_s, DAY_S) },
	{ "restart.policy", WORD(restart_policy, policies) },
	{ "restart.limit", NUMBER(restart_limit, 1000) },
	{ "alert.command", LINE(alert_command), .check = check_alert_command, .is_of_host = always },
	{ "alert.mail", LINE(alert_mail), .check = mail_check, .is_of_host = always },
	{ "refresh.base", YES(refresh_base) },
	{ "snapshot.schedule", LINE(snapshot_schedule), .check = check_schedule },
	{ "snapshot.keep", LINE(snapshot_keep), .check = check_keep },
	{ "backup.pre", LINE(backup_pre) },
	{ "backup.post", LINE(backup_post) },
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
	return bind_is_key(name) ? &mount_key : NULL;
}

const char *settings_name(const struct record *record, size_t index)
{
	const size_t fixed = sizeof keys / sizeof *keys - 1;

	if (index < fixed)
		return keys[index].name;
	return index - fixed < record->binds.count ? record->binds.items[index - fixed].key : NULL;
}

const char *lb_container_key(size_t index)
{
	return index < sizeof keys / sizeof *keys ? keys[index].name : NULL;
}

/* ---- values ---- */

/* Where @record keeps it; what kind of object is there, the key's kind says. */
static void *member_of(const struct setting_key *key, const struct record *record)
{
	return (void *)((uintptr_t)record + key->member);
}

/* A line of text that a record can hold as it is. */
static const char *set_line(const struct setting_key *key, char **member, const char *value)
{
	const char *why = *value && key->check ? key->check(value) : NULL;

	if (why)
		return why;
	if (strlen(value) > LINE_MAX_BYTES)
		return "must not be longer than 1000 bytes";
	for (const char *p = value; *p; p++)
		if (iscntrl((unsigned char)*p))
			return "must be one line without control characters";
	if (*value && (isspace((unsigned char)*value) || strchr("\\ ", value[strlen(value) - 1])))
		return "must neither begin nor end with a space, nor end with a backslash";
	return keyfile_take(member, value);
}

static const char *set_yes(bool *member, const char *value, bool may_be_empty)
{
	if (!*value && may_be_empty) {
		*member = false;
		return NULL;
	}
	return text_to_bool(value, member) ? NULL : "must be yes or no";
}

/* Sentences with a number in them are made here, and live as long as the thread. */
static const char *rule_of(const struct setting_key *key)
{
	static _Thread_local char rule[160];
	unsigned long long max = key->max;

	if (key->kind == SETTING_SECONDS)
		snprintf(rule, sizeof rule, "must be a time such as 90s, 10m or 12h, at most %llus", max);
	else
		snprintf(rule, sizeof rule, "must be a number from 1 to %llu", max);
	return rule;
}

static const char *set_number(const struct setting_key *key, uint64_t *member, const char *value)
{
	uint64_t number = 0;

	if (*value && !(key->kind == SETTING_SECONDS ? text_to_seconds(value, key->max, &number)
						      : text_to_number(value, 1, key->max, &number)))
		return rule_of(key);
	*member = number;
	return NULL;
}

static const char *set_word(const struct setting_key *key, unsigned *member, const char *value)
{
	static _Thread_local char rule[160];
	int n = snprintf(rule, sizeof rule, "must be one of");

	for (unsigned i = 0; key->words[i]; i++) {
		if (text_equal(key->words[i], value)) {
			*member = i;
			return NULL;
		}
		if (*key->words[i])
			n += snprintf(rule + n, sizeof rule - (size_t)n, "%s %s", i > 1 ? "," : "", key->words[i]);
	}
	return rule;
}

const char *setting_set(const struct setting_key *key, struct record *record, const char *value)
{
	void *member = member_of(key, record);

	switch (key->kind) {
	case SETTING_LINE:
		return set_line(key, member, value);
	case SETTING_YES:
	case SETTING_YES_NO:
		return set_yes(member, value, key->kind == SETTING_YES);
	case SETTING_NUMBER:
	case SETTING_SECONDS:
		return set_number(key, member, value);
	case SETTING_WORD:
		return set_word(key, member, value);
	case SETTING_OWN:
		return key->set_own(record, value);
	case SETTING_NAMED:
		break;
	}
	return "is not known";
}

/* 5400 as 90m: in the largest unit in which it is a whole number. */
static char *seconds_to_text(uint64_t seconds)
{
	static const struct {
		uint64_t seconds;
		char unit;
	} units[] = { { DAY_S, 'd' }, { 60 * 60, 'h' }, { 60, 'm' }, { 1, 's' } };
	size_t i = 0;

	while (seconds % units[i].seconds)
		i++;
	return text_format("%llu%c", (unsigned long long)(seconds / units[i].seconds), units[i].unit);
}

char *setting_get(const struct setting_key *key, const struct record *record)
{
	const void *member = member_of(key, record);
	const char *const *line = member;
	const uint64_t *number = member;
	const bool *yes = member;

	switch (key->kind) {
	case SETTING_LINE:
		return strdup(*line ? *line : "");
	case SETTING_YES:
		return strdup(*yes ? "yes" : "");
	case SETTING_YES_NO:
		return strdup(*yes ? "yes" : "no");
	case SETTING_NUMBER:
		return *number ? text_format("%llu", (unsigned long long)*number) : strdup("");
	case SETTING_SECONDS:
		return *number ? seconds_to_text(*number) : strdup("");
	case SETTING_WORD:
		return strdup(key->words[*(const unsigned *)member]);
	case SETTING_OWN:
		return key->get_own(record);
	case SETTING_NAMED:
		break;
	}
	return NULL;
}

const char *settings_set(struct record *record, const char *name, const char *value)
{
	const struct setting_key *key = settings_find(name);

	if (!key)
		return "is not known";
	return key->kind == SETTING_NAMED ? bind_list_set(&record->binds, name, value) : setting_set(key, record, value);
}

char *settings_get(const struct record *record, const char *name)
{
	const struct setting_key *key = settings_find(name);

	if (!key)
		return NULL;
	return key->kind == SETTING_NAMED ? bind_format(bind_list_find(&record->binds, name)) : setting_get(key, record);
}

/* One of them. 1 where it was taken away. */
static int take_of_host(struct record *record, const char *name, struct text_list *ret_taken)
{
	const struct setting_key *key = settings_find(name);
	CLEANUP_FREE char *value = key->is_of_host ? settings_get(record, name) : NULL;

	if (key->is_of_host && !value)
		return -ENOMEM;
	if (!value || !*value || !key->is_of_host(value))
		return 0;
	/* A name may be the record's own, and go with what it names. */
	if (text_list_format(ret_taken, "%s=%s", name, value) < 0 || settings_set(record, name, ""))
		return -ENOMEM;
	return 1;
}

int settings_take_of_host(struct record *record, struct text_list *ret_taken)
{
	const char *name;
	size_t i = 0;

	while ((name = settings_name(record, i))) {
		const bool is_named = settings_find(name)->kind == SETTING_NAMED;
		int r = take_of_host(record, name, ret_taken);

		if (r < 0)
			return r;
		i += !(r && is_named); /* the next one is in the place of one that went */
	}
	return 0;
}

void settings_free(struct record *record)
{
	for (const struct setting_key *key = keys; key->name; key++) {
		if (key->kind == SETTING_LINE) {
			char **line = member_of(key, record);

			free(*line);
			*line = NULL;
		}
	}
	egress_list_free(&record->egress);
	bind_list_free(&record->binds);
}
