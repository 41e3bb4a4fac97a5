/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

#include <errno.h>
#include <stdarg.h>

static bool is_quiet;

void set_quiet(bool quiet)
{
	is_quiet = quiet;
}

void say(const char *format, ...)
{
	va_list args;

	if (is_quiet)
		return;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

int exit_code(int result)
{
	if (result >= 0)
		return EXIT_OK;
	if (-result >= LB_ERR_BAD_NAME && -result <= LB_ERR_NO_REPOSITORY)
		return EXIT_ERRORS - result - LB_ERR_BAD_NAME;
	if (result == -ENOSPC || result == -EDQUOT)
		return 40;
	return EXIT_FAILED;
}

int report_failure(struct lb_context *context, int result)
{
	const char *hint = result == -ENOSPC ? "; free some space and run it again" : "";

	fprintf(stderr, "layerbox: %s%s\n", lb_context_error(context), hint);
	return exit_code(result);
}

int usage_error(const struct command *command, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "layerbox %s: ", command->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "; usage: layerbox %s%s%s\n", command->name, *command->arguments ? " " : "",
		command->arguments);
	return EXIT_USAGE;
}

int next_option(const struct command *command, int argc, char **argv, const struct option *options)
{
	return next_option_of(command, argc, argv, ":", options);
}

int next_option_of(const struct command *command, int argc, char **argv, const char *letters,
		   const struct option *options)
{
	int option;

	opterr = 0;
	option = getopt_long(argc, argv, letters, options, NULL);
	if (option == -1)
		return 0;
	if (option == ':')
		usage_error(command, "%s needs a value", argv[optind - 1]);
	else if (option == '?')
		usage_error(command, "%s is not an option of it, or is not used rightly", argv[optind - 1]);
	else
		return option;
	return -1;
}

int json_option(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { 0 } };
	int option, as_json = 0;

	while ((option = next_option(command, argc, argv, options)) > 0)
		as_json = 1;
	return option < 0 ? option : as_json;
}

void free_names(char **names)
{
	for (char **name = names; name && *name; name++)
		free(*name);
	free(names);
}

static char **all_names(struct lb_context *context, int *ret_exit)
{
	struct lb_container **containers;
	size_t count;
	char **names;
	int r = lb_container_list(context, &containers, &count);

	if (r < 0) {
		*ret_exit = report_failure(context, r);
		return NULL;
	}
	names = calloc(count + 1, sizeof *names);
	for (size_t i = 0; names && i < count; i++)
		names[i] = strdup(lb_container_get_name(containers[i]));
	lb_container_list_free(containers);
	return names;
}

char **names_of(struct lb_context *context, const struct command *command, int argc, char **argv, bool all,
		int *ret_exit)
{
	size_t count = (size_t)(argc - optind);
	char **names;

	if (all && count) {
		*ret_exit = usage_error(command, "give names or --all, not both");
		return NULL;
	}
	if (all)
		return all_names(context, ret_exit);
	if (!count) {
		*ret_exit = usage_error(command, "give the name of a container");
		return NULL;
	}
	names = calloc(count + 1, sizeof *names);
	for (size_t i = 0; names && i < count; i++)
		names[i] = strdup(argv[optind + (int)i]);
	return names;
}

struct lb_container *open_container(struct lb_context *context, const char *name, int *ret_exit)
{
	struct lb_container *container;
	int r = lb_container_open(context, name, &container);

	if (r == 0)
		return container;
	*ret_exit = report_failure(context, r);
	return NULL;
}

char *cut_assignment(const struct command *command, char *argument)
{
	char *equals = strchr(argument, '=');

	if (!equals || equals == argument) {
		usage_error(command, "\"%s\" is not KEY=VALUE", argument);
		return NULL;
	}
	*equals = '\0';
	return equals + 1;
}

int print_setting(struct lb_context *context, int result, const char *key, char *value, bool with_key)
{
	if (result < 0)
		return report_failure(context, result);
	printf(with_key ? "%s=%s\n" : "%.0s%s\n", key, value);
	free(value);
	return EXIT_OK;
}
