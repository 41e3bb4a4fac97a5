/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * firewall FILE COMMAND - the firewall of a network without containers, for isolation.bats. FILE has lines
 *     network BRIDGE SUBNET IPV6 [nat] [antispoof] [other=BRIDGE]...
 *     guest NAME MAC IPV4 IPV6 [isolated] [egress=BITS] [forward=PROTOCOL/LISTEN/PORT/TARGET] [allow=CIDR|deny=CIDR]...
 * with `-` for none. The commands, of which the last two make figures:
 *     apply, check, down, port NAME, add NAME, remove NAME, change NAME FILE (where it is as it shall be),
 *     time-guests ROUNDS (every guest removed and added again), time-apply ROUNDS
 */
#include <inttypes.h>
#include <time.h>

#include "../../liblayerbox/network/firewall.h"
#include "../../liblayerbox/network/port.h"

enum { GUESTS_MAX = 1024, PARTS_MAX = 16, WORDS_MAX = 32 };

struct network {
	struct firewall_network network;
	const char *others[PARTS_MAX + 1];
	struct firewall_guest guests[GUESTS_MAX];
	size_t count;
};

static void die(const char *what, const char *why)
{
	fprintf(stderr, "firewall: %s: %s\n", what, why);
	exit(2);
}

static const char *none_or(const char *word)
{
	return text_equal(word, "-") ? "" : word;
}

static void read_forward(struct firewall_guest *guest, char *text)
{
	struct firewall_forward *forwards = guest->forward_count ? (struct firewall_forward *)(uintptr_t)guest->forwards
								 : calloc(PARTS_MAX, sizeof *forwards);
	char *protocol = strtok(text, "/"), *listen = strtok(NULL, "/"), *port = strtok(NULL, "/");
	char *target = strtok(NULL, "/");

	if (!target || guest->forward_count == PARTS_MAX)
		die(guest->name, "bad forward");
	forwards[guest->forward_count++] = (struct firewall_forward){
		.protocol = protocol,
		.listen = none_or(listen),
		.port = (uint16_t)atoi(port),
		.target_port = (uint16_t)atoi(target),
	};
	guest->forwards = forwards;
}

static void read_rule(struct firewall_guest *guest, bool allow, const char *cidr)
{
	struct firewall_rule *rules =
		guest->rule_count ? (struct firewall_rule *)(uintptr_t)guest->rules : calloc(PARTS_MAX, sizeof *rules);

	if (guest->rule_count == PARTS_MAX)
		die(guest->name, "too many rules");
	rules[guest->rule_count++] = (struct firewall_rule){ .allow = allow, .cidr = cidr };
	guest->rules = rules;
}

static void read_guest(struct network *network, char **words)
{
	struct firewall_guest *guest = network->guests + network->count++;
	char *port = calloc(1, PORT_NAME_SIZE);

	if (network->count == GUESTS_MAX || !words[1] || !words[2] || !words[3] || !words[4])
		die("guest", "bad line");
	*guest = (struct firewall_guest){
		.name = words[1],
		.port = port,
		.mac = words[2],
		.ipv4 = words[3],
		.ipv6 = none_or(words[4]),
	};
	if (!port_name(network->network.bridge, guest->mac, port))
		die(guest->mac, "no MAC");
	for (char **word = words + 5; *word; word++) {
		if (text_equal(*word, "isolated"))
			guest->isolated = true;
		else if (text_after(*word, "egress="))
			guest->egress_bits = strtoull(*word + 7, NULL, 10);
		else if (text_after(*word, "forward="))
			read_forward(guest, *word + 8);
		else if (text_after(*word, "allow="))
			read_rule(guest, true, *word + 6);
		else if (text_after(*word, "deny="))
			read_rule(guest, false, *word + 5);
		else
			die(*word, "unknown");
	}
}

static void read_network(struct network *network, char **words)
{
	size_t others = 0;

	if (!words[1] || !words[2] || !words[3])
		die("network", "bad line");
	network->network = (struct firewall_network){
		.bridge = words[1],
		.subnet = words[2],
		.ipv6 = none_or(words[3]),
		.others = network->others,
		.run_directory = text_format("/run/layerbox/network/%s", words[1]),
	};
	for (char **word = words + 4; *word; word++) {
		if (text_equal(*word, "nat"))
			network->network.nat = true;
		else if (text_equal(*word, "antispoof"))
			network->network.antispoof = true;
		else if (text_after(*word, "other=") && others < PARTS_MAX)
			network->others[others++] = *word + 6;
		else
			die(*word, "unknown");
	}
}

static struct network *read_file(const char *path)
{
	struct network *network = calloc(1, sizeof *network);
	FILE *file = fopen(path, "re");
	char line[4096];

	if (!file || !network)
		die(path, "cannot be read");
	while (fgets(line, sizeof line, file)) {
		char *words[WORDS_MAX + 1] = { 0 }, *rest = strdup(line), *word;
		size_t count = 0;

		while ((word = strsep(&rest, " \t\n")) && count < WORDS_MAX)
			if (*word)
				words[count++] = word;
		if (count && text_equal(words[0], "network"))
			read_network(network, words);
		else if (count && text_equal(words[0], "guest"))
			read_guest(network, words);
	}
	fclose(file);
	return network;
}

static const struct firewall_guest *find(const struct network *network, const char *name)
{
	for (size_t i = 0; name && i < network->count; i++)
		if (text_equal(network->guests[i].name, name))
			return network->guests + i;
	die(name ? name : "guest", "is not in the file");
	return NULL;
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int check(struct lb_context *ctx, const struct network *network)
{
	CLEANUP_TEXT_LIST struct text_list problems = { 0 };
	int r = firewall_check(ctx, &network->network, network->guests, network->count, &problems);

	for (size_t i = 0; i < problems.count; i++)
		printf("%s\n", problems.items[i]);
	return r < 0 ? r : problems.count > 0;
}

static int time_guests(struct lb_context *ctx, const struct network *network, int rounds)
{
	double removing = 0, adding = 0;
	int r = 0;

	for (int i = 0; i < rounds; i++) {
		for (size_t j = 0; r == 0 && j < network->count; j++) {
			double begin = now_ms(), middle;

			r = firewall_remove_guest(ctx, &network->network, network->guests + j);
			middle = now_ms();
			if (r == 0)
				r = firewall_add_guest(ctx, &network->network, network->guests + j);
			removing += middle - begin;
			adding += now_ms() - middle;
		}
	}
	printf("remove %.0f us, add %.0f us\n", removing * 1e3 / rounds / (double)network->count,
	       adding * 1e3 / rounds / (double)network->count);
	return r;
}

static int time_apply(struct lb_context *ctx, const struct network *network, int rounds)
{
	double begin = now_ms(), in = 0, again = 0;
	int r = 0;

	for (int i = 0; r == 0 && i < rounds; i++) {
		r = firewall_down(ctx, network->network.bridge, network->network.run_directory);
		begin = now_ms();
		r = firewall_apply(ctx, &network->network, network->guests, network->count);
		in += now_ms() - begin;
		begin = now_ms();
		if (r == 0 && firewall_apply(ctx, &network->network, network->guests, network->count) != 1)
			die("apply", "found something to do in what it had just done");
		again += now_ms() - begin;
	}
	printf("apply %.1f ms, with nothing to do %.1f ms\n", in / rounds, again / rounds);
	return r;
}

static int run(struct lb_context *ctx, const struct network *network, char **words)
{
	const struct firewall_network *plan = &network->network;

	if (text_equal(words[0], "apply"))
		return firewall_apply(ctx, plan, network->guests, network->count);
	if (text_equal(words[0], "check"))
		return check(ctx, network);
	if (text_equal(words[0], "down"))
		return firewall_down(ctx, plan->bridge, plan->run_directory);
	if (text_equal(words[0], "port"))
		return printf("%s\n", find(network, words[1])->port) < 0;
	if (text_equal(words[0], "add"))
		return firewall_add_guest(ctx, plan, find(network, words[1]));
	if (text_equal(words[0], "remove"))
		return firewall_remove_guest(ctx, plan, find(network, words[1]));
	if (text_equal(words[0], "change"))
		return firewall_change_guest(ctx, plan, find(network, words[1]), find(read_file(words[2]), words[1]));
	if (text_equal(words[0], "time-guests"))
		return time_guests(ctx, network, atoi(words[1]));
	if (text_equal(words[0], "time-apply"))
		return time_apply(ctx, network, atoi(words[1]));
	die(words[0], "unknown");
	return 0;
}

static void show_log(enum lb_log_level level, const char *message, void *userdata)
{
	(void)userdata;
	if (level <= LB_LOG_WARNING)
		fprintf(stderr, "%s\n", message);
}

/* The exit code: 0 and 1 are the function's own, 3 is -ENOENT, 4 any other failure. */
int main(int argc, char **argv)
{
	const struct lb_context_options options = { .size = sizeof options, .root = getenv("LAYERBOX_ROOT") };
	struct lb_context *ctx;
	int r;

	if (argc < 3)
		die("usage", "firewall FILE COMMAND [WORD]...");
	if (lb_context_new(&options, &ctx) < 0)
		die("context", "none");
	lb_context_set_log(ctx, show_log, NULL);
	r = run(ctx, read_file(argv[1]), argv + 2);
	if (r < 0)
		fprintf(stderr, "firewall: %s\n", lb_context_error(ctx));
	lb_context_free(ctx);
	if (r == -ENOENT)
		return 3;
	return r < 0 ? 4 : r;
}
