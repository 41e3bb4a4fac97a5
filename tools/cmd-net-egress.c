/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a container's connections may go to: the key net.rules, a rule at a time. */
#include "command.h"

/* The present rules and, behind them, one for each of @prefixes; NULL without memory. */
static char *append(const char *present, const char *verdict, char **prefixes)
{
	size_t size = strlen(present) + 1;
	char *rules, *end;

	for (char **prefix = prefixes; *prefix; prefix++)
		size += strlen(verdict) + strlen(*prefix) + 3;
	rules = malloc(size);
	if (!rules)
		return NULL;
	end = stpcpy(rules, present);
	for (char **prefix = prefixes; *prefix; prefix++)
		end += sprintf(end, "%s%s %s", end > rules ? ", " : "", verdict, *prefix);
	return rules;
}

static void print_rules(char *rules)
{
	for (char *rule = strtok(rules, ","); rule; rule = strtok(NULL, ","))
		printf("%s\n", rule + strspn(rule, " "));
}

static int change(struct lb_context *context, struct lb_container *container, const char *present, const char *verdict,
		  char **prefixes)
{
	char *rules = *prefixes ? append(present, verdict, prefixes) : strdup("");
	int r = rules ? lb_container_set(container, "net.rules", rules) : -1;

	if (!rules)
		fprintf(stderr, "layerbox: out of memory\n");
	free(rules);
	if (r < 0 && rules)
		return report_failure(context, r);
	return r < 0 ? EXIT_FAILED : EXIT_OK;
}

static bool is_sensible(int count, char **words)
{
	if (count < 2)
		return true;
	if (strcmp(words[0], "clear") == 0)
		return count == 1;
	return strcmp(words[0], "allow") == 0 || strcmp(words[0], "deny") == 0;
}

static int run(struct lb_context *context, int argc, char **argv)
{
	static const struct option none[] = { { 0 } };
	struct lb_container *container;
	char *present, **words;
	int result, r;

	if (next_option(&command_net_egress, argc, argv, none) < 0)
		return EXIT_USAGE;
	words = argv + optind + (optind < argc);
	if (optind == argc || !is_sensible(argc - optind - 1, words) ||
	    (argc - optind == 2 && strcmp(words[0], "clear") != 0))
		return usage_error(&command_net_egress,
				   "give a container, and `allow` or `deny` with prefixes, or `clear`");
	container = open_container(context, argv[optind], &result);
	if (!container)
		return result;
	r = lb_container_get(container, "net.rules", &present);
	if (r < 0) {
		result = report_failure(context, r);
	} else if (!*words) {
		print_rules(present);
		result = EXIT_OK;
	} else {
		result = change(context, container, present, words[0], words + 1);
	}
	if (r >= 0)
		free(present);
	lb_container_free(container);
	return result;
}

const struct command command_net_egress = {
	.name = "net egress",
	.arguments = "NAME [allow|deny CIDR... | clear]",
	.summary = "Show or change where a container's connections may go to",
	.help = "  allow CIDR...  append rules; CIDR is an address, a prefix such as 10.0.0.0/8, or `all`\n"
		"  deny CIDR...\n"
		"  clear          take all rules away\n"
		"The first rule that matches decides; what none matches is allowed. `layerbox set NAME net.rules=...` "
		"sets all\n"
		"at once.\n",
	.run = run,
};
