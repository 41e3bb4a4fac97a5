#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Metrics, rules and dashboard as Prometheus' own programs read them. Debian's packages are unpacked, not installed: one
# of them would start a server. Run by name only, for it is a large one.
load ../lib/common
load ../lib/metrics

setup_file() {
	common_setup_file
	export PACKAGES=$BATS_FILE_TMPDIR/packages SHIPPED=/usr/share/layerbox/monitoring
	mkdir -p "$PACKAGES/lists/partial" "$PACKAGES/archives/partial"
	cd "$PACKAGES"
	outside update
	outside download prometheus python3-prometheus-client
	for package in *.deb; do
		dpkg-deb --extract "$package" "$PACKAGES"
	done
	promtool --version
}

outside() {
	"$BATS_TEST_DIRNAME/../lib/outside" apt-get --quiet --quiet --option APT::Sandbox::User=root \
		--option Dir::State::Lists="$PACKAGES/lists" --option Dir::Cache="$PACKAGES" "$@" 3>&-
}

promtool() {
	"$PACKAGES/usr/bin/promtool" "$@"
}

# Containers that have all there is to tell of.
populate() {
	make rich plain --start
	layerbox --quiet set rich cpus=1
	layerbox --quiet set rich memory=64M pids=50 || true # without its controller, none is told
	layerbox --quiet snapshot create rich one
	printf 'last_run = 1000\nlast_success = 900\nduration = 12\nresult = 0\n' > "$CONTAINERS/rich/backup-outcome"
	layerbox --quiet stop --kill plain
}

@test "promtool finds nothing in the metrics" {
	populate
	scrape
	run promtool check metrics < "$scraped"
	is "$status" 0
	is "$output" ""
	# It would.
	printf '# TYPE layerbox_x counter\nlayerbox_x 1\n' > "$BATS_TEST_TMPDIR/bad"
	run promtool check metrics < "$BATS_TEST_TMPDIR/bad"
	[ "$status" -ne 0 ]
}

@test "a reader of OpenMetrics understands every sample" {
	populate
	layerbox metrics > "$BATS_TEST_TMPDIR/open"
	PYTHONPATH=$PACKAGES/usr/lib/python3/dist-packages python3 - "$BATS_TEST_TMPDIR/open" <<- 'END'
		import sys
		from prometheus_client.openmetrics.parser import text_string_to_metric_families

		text = open(sys.argv[1]).read()
		families = list(text_string_to_metric_families(text))
		samples = [sample for family in families for sample in family.samples]
		assert len(samples) == sum(not line.startswith("#") for line in text.splitlines()) > 60, len(samples)
		types = {family.name: (family.type, family.unit) for family in families}
		assert types["layerbox_container_cpu_seconds"] == ("counter", "seconds"), types
		assert types["layerbox_container"] == ("info", ""), types
		assert all(family.documentation for family in families)
	END
}

@test "promtool finds nothing in the rules, and they tell what they should" {
	run promtool check rules "$SHIPPED/prometheus-rules.yml"
	is "$status" 0
	[[ $output == *SUCCESS* ]]
	cat > "$BATS_TEST_TMPDIR/test.yml" <<- END
		rule_files: [ $SHIPPED/prometheus-rules.yml ]
		evaluation_interval: 1m
		tests:
		  - interval: 1m
		    input_series:
		      - { series: 'layerbox_container_autostart{instance="h",name="down"}', values: '1x30' }
		      - { series: 'layerbox_container_autostart{instance="h",name="up"}', values: '1x30' }
		      - { series: 'layerbox_container_autostart{instance="h",name="off"}', values: '0x30' }
		      - { series: 'layerbox_container_state{instance="h",name="down",state="stopped"}', values: '1x30' }
		      - { series: 'layerbox_container_state{instance="h",name="down",state="running"}', values: '0x30' }
		      - { series: 'layerbox_container_state{instance="h",name="up",state="running"}', values: '1x30' }
		      - { series: 'layerbox_container_state{instance="h",name="off",state="stopped"}', values: '1x30' }
		      - { series: 'layerbox_container_memory_working_set_bytes{instance="h",name="up"}', values: '95x30' }
		      - { series: 'layerbox_container_memory_limit_bytes{instance="h",name="up"}', values: '100x30' }
		      - { series: 'layerbox_container_memory_working_set_bytes{instance="h",name="off"}', values: '95x30' }
		      - { series: 'layerbox_container_health{instance="h",name="up",state="unhealthy"}', values: '1x30' }
		      - { series: 'layerbox_container_health{instance="h",name="off",state="unhealthy"}', values: '0x30' }
		      - { series: 'layerbox_container_start_time_seconds{instance="h",name="up"}', values: '0+1x30' }
		      - { series: 'layerbox_container_start_time_seconds{instance="h",name="off"}', values: '5x30' }
		      - { series: 'layerbox_metrics_time_seconds{instance="h"}', values: '0x30' }
		      - { series: 'layerbox_supervisor_running{instance="h"}', values: '0x30' }
		      - { series: 'layerbox_supervisor_running{instance="idle"}', values: '0x30' }
		      - { series: 'layerbox_containers_supervised{instance="h"}', values: '2x30' }
		      - { series: 'layerbox_containers_supervised{instance="idle"}', values: '0x30' }
		      - { series: 'layerbox_root_free_bytes{instance="h"}', values: '5x30' }
		      - { series: 'layerbox_root_size_bytes{instance="h"}', values: '100x30' }
		      - { series: 'layerbox_network_addresses_free{instance="h",network="n"}', values: '50x30' }
		      - { series: 'layerbox_network_addresses{instance="h",network="n"}', values: '100x30' }
		    promql_expr_test:
		$(for alert in ContainerDown=down MemoryNearLimit=up ContainerUnhealthy=up ContainerRestarts=up \
			MetricsStale= SupervisorDown= DiskNearlyFull= AddressesNearlyExhausted; do
			name=${alert%%=*}
			echo "      - expr: 'count by (name) (ALERTS{alertname=\"Layerbox$name\",alertstate=\"firing\"})'"
			echo "        eval_time: 25m"
			[[ $alert == *=* ]] || { echo "        exp_samples: []"; continue; }
			labels=${alert#*=}
			echo "        exp_samples: [ { labels: '{${labels:+name=\"$labels\"}}', value: 1 } ]"
		done)
		  - interval: 1h
		    input_series:
		      - { series: 'layerbox_container_backup_last_success_time_seconds{instance="h",name="a"}', values: '0x400' }
		      - { series: 'layerbox_container_backup_last_success_time_seconds{instance="h",name="b"}', values: '0+3600x400' }
		      - { series: 'layerbox_container_security_updates_behind{instance="h",name="a"}', values: '2x400' }
		      - { series: 'layerbox_container_behind_since_time_seconds{instance="h",name="a"}', values: '1x400' }
		      - { series: 'layerbox_container_security_updates_behind{instance="h",name="b"}', values: '0x400' }
		      - { series: 'layerbox_container_behind_since_time_seconds{instance="h",name="b"}', values: '1x400' }
		    promql_expr_test:
		$(for alert in BackupTooOld SecurityBehind; do
			echo "      - expr: 'count by (name) (ALERTS{alertname=\"Layerbox$alert\",alertstate=\"firing\"})'"
			echo "        eval_time: 200h"
			echo "        exp_samples: [ { labels: '{name=\"a\"}', value: 1 } ]"
		done)
	END
	run promtool test rules "$BATS_TEST_TMPDIR/test.yml"
	echo "$output"
	is "$status" 0
}

@test "every question of the dashboard is one" {
	[ "$(jq '[.panels[].targets // [] | .[].expr] | length' "$SHIPPED/grafana-dashboard.json")" -gt 20 ]
	jq '[.panels[].targets // [] | .[].expr
		| gsub("\\$__rate_interval"; "5m") | gsub("\\$[a-z]+"; ".*")]
		| { groups: [ { name: "all", rules: [ to_entries[] | { record: "r\(.key)", expr: .value } ] } ] }' \
		"$SHIPPED/grafana-dashboard.json" > "$BATS_TEST_TMPDIR/rules.json"
	run promtool check rules "$BATS_TEST_TMPDIR/rules.json"
	echo "$output"
	is "$status" 0
}
