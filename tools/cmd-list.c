/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* list and info: what there is and how it does. */
#include "backup-outcome.h"
#include "command.h"
#include "output.h"

/* The fields that both have; their names and meanings are stable, see layerbox(8), JSON. */
static json_t *describe(struct lb_container *container)
{
	json_t *object =
		json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:b, s:b}", "name",
			  lb_container_get_name(container), "state", lb_state_name(lb_container_get_state(container)),
			  "health", lb_container_get_health(container), "base", lb_container_get_base(container),
			  "generation", (int)lb_container_get_generation(container),
			  "ipv4", lb_container_get_ipv4(container), "mac", lb_container_get_mac(container), "network",
			  lb_container_get_network(container), "privileged", lb_container_get_privileged(container),
			  "autostart", lb_container_get_autostart(container));

	return object;
}

static void add_pid(json_t *object, struct lb_container *container)
{
	pid_t pid = lb_container_get_pid(container);

	json_object_set_new(object, "pid", pid ? json_integer(pid) : json_null());
}

static int run_list(struct lb_context *context, int argc, char **argv)
{
	static const struct column columns[] = {
		{ "name", "NAME", false }, { "state", "STATE", false }, { "health", "HEALTH", false },
		{ "ipv4", "IPV4", false },
		{ "base", "BASE", false }, { "generation", "GEN", true }, { "autostart", "AUTOSTART", false },
		{ "privileged", "PRIVILEGED", false }, { 0 },
	};
	struct lb_container **containers;
	json_t *rows;
	int as_json = json_option(&command_list, argc, argv), r;

	if (as_json < 0)
		return EXIT_USAGE;
	if (optind != argc)
		return usage_error(&command_list, "it takes no names; `layerbox info NAME` shows one container");
	r = lb_container_list(context, &containers, NULL);
	if (r < 0)
		return report_failure(context, r);
	rows = json_array();
	for (size_t i = 0; containers[i]; i++) {
		json_t *row = describe(containers[i]);

		/* The table does not show what takes a question to each monitor, and a file of each. */
		if (as_json) {
			add_pid(row, containers[i]);
			json_object_set_new(row, "backup", backup_outcome_to_json(containers[i]));
		}
		json_array_append_new(rows, row);
	}
	lb_container_list_free(containers);
	if (as_json || json_array_size(rows))
		show_rows(rows, columns, as_json);
	else
		say("there are no containers yet; make one with `layerbox create NAME`");
	json_decref(rows);
	return EXIT_OK;
}

static void add_settings(json_t *object, struct lb_container *container)
{
	const char *key;
	char *value;

	for (size_t i = 0; (key = lb_container_setting(container, i)); i++) {
		if (json_object_get(object, key) || lb_container_get(container, key, &value) < 0)
			continue;
		json_object_set_new(object, key, json_string(value));
		free(value);
	}
}

static json_t *describe_fully(struct lb_container *container, bool for_people)
{
	json_t *object = describe(container);
	uint32_t id_start, id_count;
	int64_t created = lb_container_get_created(container);
	char text[64];

	add_pid(object, container);
	lb_container_get_id_range(container, &id_start, &id_count);
	json_object_set_new(object, "id_start", json_integer(id_start));
	json_object_set_new(object, "id_count", json_integer(id_count));
	json_object_set_new(object, "created", for_people ? json_time(created) : json_integer(created));
	json_object_set_new(object, "directory", json_string(lb_container_get_directory(container)));
	json_object_set_new(object, "rebased_from", json_string(lb_container_get_rebased_from(container)));
	json_object_set_new(object, "rebase_to", json_string(lb_container_get_rebase_to(container)));
	json_object_set_new(object, "backup",
			    for_people ? backup_outcome_to_text(container) : backup_outcome_to_json(container));
	if (for_people) {
		snprintf(text, sizeof text, "%s@%u", lb_container_get_base(container),
			 lb_container_get_generation(container));
		json_object_set_new(object, "base", json_string(text));
		snprintf(text, sizeof text, "%u to %u", id_start, id_start + id_count - 1);
		json_object_set_new(object, "ids", json_string(id_count ? text : "those of the host"));
	}
	add_settings(object, container);
	return object;
}

static int run_info(struct lb_context *context, int argc, char **argv)
{
	static const struct column columns[] = {
		{ "name", "Name:", false },	  { "description", "Description:", false },
		{ "state", "State:", false },	  { "health", "Health:", false },
		{ "pid", "PID:", false },
		{ "ipv4", "IPv4:", false },	  { "mac", "MAC:", false },
		{ "network", "Network:", false },
		{ "base", "Base:", false },	  { "rebased_from", "Rebased from:", false },
		{ "rebase_to", "Pending:", false }, { "privileged", "Privileged:", false },
		{ "ids", "Host ids:", false },	  { "autostart", "Autostart:", false },
		{ "memory", "Memory:", false },	  { "cpus", "CPUs:", false },
		{ "pids", "Processes:", false },  { "isolated", "Isolated:", false },
		{ "net.ingress", "To it:", false }, { "net.egress", "From it:", false },
		{ "net.rules", "Egress rules:", false }, { "health.tcp", "Check by TCP:", false },
		{ "health.http", "Check by HTTP:", false }, { "health.command", "Check by program:", false },
		{ "restart.policy", "Restart:", false },
		{ "backup", "Backup:", false },
		{ "created", "Created:", false }, { "directory", "Directory:", false },
		{ 0 },
	};
	struct lb_container *container;
	json_t *object;
	int as_json = json_option(&command_info, argc, argv), result;

	if (as_json < 0)
		return EXIT_USAGE;
	if (argc - optind != 1)
		return usage_error(&command_info, "give the name of one container");
	container = open_container(context, argv[optind], &result);
	if (!container)
		return result;
	object = describe_fully(container, !as_json);
	show_object(object, columns, as_json);
	json_decref(object);
	lb_container_free(container);
	return EXIT_OK;
}

const struct command command_list = {
	.name = "list",
	.arguments = "[--json]",
	.summary = "Show all containers, their state and address",
	.help = "  --json         an array of objects with name, state, health, base, generation, ipv4, mac, network, pid,\n"
		"                 privileged, autostart, backup\n",
	.run = run_list,
};

const struct command command_info = {
	.name = "info",
	.arguments = "NAME [--json]",
	.summary = "Show everything about one container",
	.help = "  --json         one object: the fields of `list --json` and more\n",
	.run = run_info,
};
