/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keys of `layerbox set` and `get`: what each is called, how its value is read and written. */
#pragma once

#include "record.h"

struct setting_key {
	const char *name;
	/* Takes @value ("" takes the setting away); NULL or why it cannot be ("must be yes or no"). */
	const char *(*set)(struct record *record, const char *value);
	/* As text in one normal form, "" when not set; the caller's, NULL without memory. */
	char *(*get)(const struct record *record);
	bool is_limit;                /* is enforced by a cgroup controller */
	bool is_firewall;             /* is enforced by the firewall of the container's network */
	bool is_uplink;               /* is enforced where the container is linked to its network */
};

/* All keys, ended by one without a name. */
const struct setting_key *settings_keys(void);

/* The key of that name, or NULL. */
const struct setting_key *settings_find(const char *name);
