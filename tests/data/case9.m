function mpc = case9
%CASE9  Nine buses, three machines: the WSCC system of P. M. Anderson and A. A. Fouad, Power System Control and
%   Stability (1980), figure 2.18, in MATPOWER's format, with its numbering of buses.

%% format version
mpc.version = '2';

%% base power, MVA
mpc.baseMVA = 100;

%% buses: number, type, Pd, Qd, Gs, Bs, area, Vm, Va, base kV, zone, Vmax, Vmin
mpc.bus = [
	1	3	0	0	0	0	1	1.04	0	16.5	1	1.1	0.9;
	2	2	0	0	0	0	1	1.025	0	18	1	1.1	0.9;
	3	2	0	0	0	0	1	1.025	0	13.8	1	1.1	0.9;
	4	1	0	0	0	0	1	1	0	230	1	1.1	0.9;
	5	1	125	50	0	0	1	1	0	230	1	1.1	0.9;
	6	1	90	30	0	0	1	1	0	230	1	1.1	0.9;
	7	1	0	0	0	0	1	1	0	230	1	1.1	0.9;
	8	1	100	35	0	0	1	1	0	230	1	1.1	0.9;
	9	1	0	0	0	0	1	1	0	230	1	1.1	0.9;
];

%% generators: bus, Pg, Qg, Qmax, Qmin, Vg, base, status, Pmax, Pmin
mpc.gen = [
	1	71.6	0	300	-300	1.04	100	1	250	10;
	2	163	0	300	-300	1.025	100	1	300	10;
	3	85	0	300	-300	1.025	100	1	270	10;
];

%% branches: from, to, r, x, b, rates A, B, C, ratio, angle, status, angmin, angmax
mpc.branch = [
	1	4	0	0.0576	0	250	250	250	0	0	1	-360	360;
	4	5	0.01	0.085	0.176	250	250	250	0	0	1	-360	360;
	4	6	0.017	0.092	0.158	250	250	250	0	0	1	-360	360;
	5	7	0.032	0.161	0.306	250	250	250	0	0	1	-360	360;
	6	9	0.039	0.17	0.358	150	150	150	0	0	1	-360	360;
	7	8	0.0085	0.072	0.149	250	250	250	0	0	1	-360	360;
	2	7	0	0.0625	0	250	250	250	0	0	1	-360	360;
	8	9	0.0119	0.1008	0.209	150	150	150	0	0	1	-360	360;
	3	9	0	0.0586	0	300	300	300	0	0	1	-360	360;
];
