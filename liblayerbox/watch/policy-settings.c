/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../health/check.h"
#include "policy.h"

enum { INTERVAL_DEFAULT_S = 30, RETRIES_DEFAULT = 3, LIMIT_DEFAULT = 5 };

static enum restart_policy restart_of(const char *text)
{
	return text_equal(text, "always")     ? RESTART_ALWAYS
	       : text_equal(text, "on-failure") ? RESTART_ON_FAILURE
						: RESTART_NO;
}

struct policy_settings policy_settings_of(const struct record *record, const char *name, const char *by_default)
{
	static const struct record nothing = { 0 };
	const struct record *given = record ? record : &nothing;
	const struct health_settings *health = &given->health;
	struct policy_settings settings = {
		.has_check = health_has_check(given),
		.restart = (enum restart_policy)given->restart_policy,
		.limit = given->restart_limit ? (unsigned)given->restart_limit : LIMIT_DEFAULT,
		.retries = health->retries ? (unsigned)health->retries : RETRIES_DEFAULT,
		.interval_ms = (int64_t)(health->interval_s ? health->interval_s : INTERVAL_DEFAULT_S) * 1000,
		.start_period_ms = (int64_t)health->start_period_s * 1000,
	};

	if (settings.restart == RESTART_DEFAULT)
		settings.restart = restart_of(by_default);
	settings.phase_ms = (int64_t)(text_hash(name) % (uint64_t)settings.interval_ms);
	return settings;
}

bool policy_supervises(const struct record *record, const char *name, const char *by_default)
{
	const struct policy_settings settings = policy_settings_of(record, name, by_default);

	return settings.has_check || settings.restart != RESTART_NO;
}
