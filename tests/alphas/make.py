# numbers -> (paper, clawd)
A = {}
def a(n, paper, clawd, note=""): A[n]=(paper,clawd,note)
R="ret(close, 1)"
a(1,"(rank(Ts_ArgMax(SignedPower(((returns < 0) ? stddev(returns, 20) : close), 2.), 5)) - 0.5)",
"cs_rank(-ts_argmax(signed_pow(where(ret(close, 1) < 0, ts_std(ret(close, 1), 20), as_num(close)), 2), 5)) - 0.5",
"a rank of days is a rank of minus the bars since")
a(2,"(-1 * correlation(rank(delta(log(volume), 2)), rank(((close - open) / open)), 6))",
"-ts_corr(cs_rank(delta(log(volume), 2)), cs_rank((close - open) / open), 6)")
a(3,"(-1 * correlation(rank(open), rank(volume), 10))","-ts_corr(cs_rank(open), cs_rank(volume), 10)")
a(4,"(-1 * Ts_Rank(rank(low), 9))","-ts_rank(cs_rank(low), 9)")
a(5,"(rank((open - (sum(vwap, 10) / 10))) * (-1 * abs(rank((close - vwap)))))",
"cs_rank(open - ts_sum(vwap, 10) / 10) * -abs(cs_rank(close - vwap))")
a(6,"(-1 * correlation(open, volume, 10))","-ts_corr(open, volume, 10)")
a(7,"((adv20 < volume) ? ((-1 * ts_rank(abs(delta(close, 7)), 60)) * sign(delta(close, 7))) : (-1 * 1))",
"where(as_num(adv(20)) < as_num(volume), -ts_rank(abs(delta(close, 7)), 60) * sign(delta(close, 7)), -1)")
a(8,"(-1 * rank(((sum(open, 5) * sum(returns, 5)) - delay((sum(open, 5) * sum(returns, 5)), 10))))",
"-cs_rank(delta(ts_sum(open, 5) * ts_sum(ret(close, 1), 5), 10))")
x9="where(0 < ts_min(delta(close, 1), {w}), delta(close, 1), where(ts_max(delta(close, 1), {w}) < 0, delta(close, 1), -delta(close, 1)))"
p9="((0 < ts_min(delta(close, 1), {w})) ? delta(close, 1) : ((ts_max(delta(close, 1), {w}) < 0) ? delta(close, 1) : (-1 * delta(close, 1))))"
a(9,p9.format(w=5),x9.format(w=5))
a(10,"rank("+p9.format(w=4)+")","cs_rank("+x9.format(w=4)+")")
a(11,"((rank(ts_max((vwap - close), 3)) + rank(ts_min((vwap - close), 3))) * rank(delta(volume, 3)))",
"(cs_rank(ts_max(vwap - close, 3)) + cs_rank(ts_min(vwap - close, 3))) * cs_rank(delta(volume, 3))")
a(12,"(sign(delta(volume, 1)) * (-1 * delta(close, 1)))","sign(delta(volume, 1)) * -delta(close, 1)")
a(13,"(-1 * rank(covariance(rank(close), rank(volume), 5)))","-cs_rank(ts_cov(cs_rank(close), cs_rank(volume), 5))")
a(14,"((-1 * rank(delta(returns, 3))) * correlation(open, volume, 10))","-cs_rank(delta(ret(close, 1), 3)) * ts_corr(open, volume, 10)")
a(15,"(-1 * sum(rank(correlation(rank(high), rank(volume), 3)), 3))","-ts_sum(cs_rank(ts_corr(cs_rank(high), cs_rank(volume), 3)), 3)")
a(16,"(-1 * rank(covariance(rank(high), rank(volume), 5)))","-cs_rank(ts_cov(cs_rank(high), cs_rank(volume), 5))")
a(17,"(((-1 * rank(ts_rank(close, 10))) * rank(delta(delta(close, 1), 1))) * rank(ts_rank((volume / adv20), 5)))",
"-cs_rank(ts_rank(close, 10)) * cs_rank(delta(delta(close, 1), 1)) * cs_rank(ts_rank(volume / adv(20), 5))")
a(18,"(-1 * rank(((stddev(abs((close - open)), 5) + (close - open)) + correlation(close, open, 10))))",
"-cs_rank(as_num(ts_std(abs(close - open), 5) + (close - open)) + ts_corr(close, open, 10))")
a(19,"((-1 * sign(((close - delay(close, 7)) + delta(close, 7)))) * (1 + rank((1 + sum(returns, 250)))))",
"-sign((close - delay(close, 7)) + delta(close, 7)) * (1 + cs_rank(1 + ts_sum(ret(close, 1), 250)))")
a(20,"(((-1 * rank((open - delay(high, 1)))) * rank((open - delay(close, 1)))) * rank((open - delay(low, 1))))",
"-cs_rank(open - delay(high, 1)) * cs_rank(open - delay(close, 1)) * cs_rank(open - delay(low, 1))")
a(21,"((((sum(close, 8) / 8) + stddev(close, 8)) < (sum(close, 2) / 2)) ? (-1 * 1) : (((sum(close, 2) / 2) < ((sum(close, 8) / 8) - stddev(close, 8))) ? 1 : (((1 < (volume / adv20)) || ((volume / adv20) == 1)) ? 1 : (-1 * 1))))",
"where(ts_mean(close, 8) + ts_std(close, 8) < ts_mean(close, 2), -1, where(ts_mean(close, 2) < ts_mean(close, 8) - ts_std(close, 8), 1, where(not as_num(volume / adv(20)) < 1 and volume / adv(20) > 0, 1, -1)))",
"at least 1 is known to be above 0 and not below 1")
a(22,"(-1 * (delta(correlation(high, volume, 5), 5) * rank(stddev(close, 20))))",
"-(delta(ts_corr(high, volume, 5), 5) * cs_rank(ts_std(close, 20)))")
a(23,"(((sum(high, 20) / 20) < high) ? (-1 * delta(high, 2)) : 0)","where(ts_mean(high, 20) < high, -delta(high, 2), 0)")
a(24,"((((delta((sum(close, 100) / 100), 100) / delay(close, 100)) < 0.05) || ((delta((sum(close, 100) / 100), 100) / delay(close, 100)) == 0.05)) ? (-1 * (close - ts_min(close, 100))) : (-1 * delta(close, 3)))",
"where(not delta(ts_mean(close, 100), 100) / delay(close, 100) > 0.05 and delta(ts_mean(close, 100), 100) / delay(close, 100) > -1, -(close - ts_min(close, 100)), -delta(close, 3))",
"at most 0.05 is known to be above -1 and not above 0.05: a mean of prices does not fall by a price of long ago")
a(25,"rank(((((-1 * returns) * adv20) * vwap) * (high - close)))","cs_rank(-ret(close, 1) * adv(20) * vwap * (high - close))")
a(26,"(-1 * ts_max(correlation(ts_rank(volume, 5), ts_rank(high, 5), 5), 3))","-ts_max(ts_corr(ts_rank(volume, 5), ts_rank(high, 5), 5), 3)")
a(27,"((0.5 < rank((sum(correlation(rank(volume), rank(vwap), 6), 2) / 2.0))) ? (-1 * 1) : 1)",
"where(0.5 < cs_rank(ts_sum(ts_corr(cs_rank(volume), cs_rank(vwap), 6), 2) / 2), -1, 1)")
a(28,"scale(((correlation(adv20, low, 5) + ((high + low) / 2)) - close))",
"cs_scale(ts_corr(adv(20), low, 5) + as_num((high + low) / 2) - as_num(close))")
a(29,"(min(product(rank(rank(scale(log(sum(ts_min(rank(rank((-1 * rank(delta((close - 1), 5))))), 2), 1))))), 1), 5) + ts_rank(delay((-1 * returns), 6), 5))",
"ts_min(ts_prod(cs_rank(cs_rank(cs_scale(log(ts_sum(ts_min(cs_rank(cs_rank(-cs_rank(delta(as_num(close) - 1, 5)))), 2), 1))))), 1), 5) + ts_rank(delay(-ret(close, 1), 6), 5)")
a(30,"(((1.0 - rank(((sign((close - delay(close, 1))) + sign((delay(close, 1) - delay(close, 2)))) + sign((delay(close, 2) - delay(close, 3)))))) * sum(volume, 5)) / sum(volume, 20))",
"(1 - cs_rank(sign(close - delay(close, 1)) + sign(delay(close, 1) - delay(close, 2)) + sign(delay(close, 2) - delay(close, 3)))) * ts_sum(volume, 5) / ts_sum(volume, 20)")
a(31,"((rank(rank(rank(decay_linear((-1 * rank(rank(delta(close, 10)))), 10)))) + rank((-1 * delta(close, 3)))) + sign(scale(correlation(adv20, low, 12))))",
"cs_rank(cs_rank(cs_rank(decay_linear(-cs_rank(cs_rank(delta(close, 10))), 10)))) + cs_rank(-delta(close, 3)) + sign(cs_scale(ts_corr(adv(20), low, 12)))")
a(32,"(scale(((sum(close, 7) / 7) - close)) + (20 * scale(correlation(vwap, delay(close, 5), 230))))",
"cs_scale(as_num(ts_mean(close, 7) - close)) + 20 * cs_scale(ts_corr(vwap, delay(close, 5), 230))")
a(33,"rank((-1 * ((1 - (open / close))^1)))","cs_rank(-signed_pow(1 - open / close, 1))")
a(34,"rank(((1 - rank((stddev(returns, 2) / stddev(returns, 5)))) + (1 - rank(delta(close, 1)))))",
"cs_rank((1 - cs_rank(ts_std(ret(close, 1), 2) / ts_std(ret(close, 1), 5))) + (1 - cs_rank(delta(close, 1))))")
a(35,"((Ts_Rank(volume, 32) * (1 - Ts_Rank(((close + high) - low), 16))) * (1 - Ts_Rank(returns, 32)))",
"ts_rank(volume, 32) * (1 - ts_rank(close + high - low, 16)) * (1 - ts_rank(ret(close, 1), 32))")
a(36,"(((((2.21 * rank(correlation((close - open), delay(volume, 1), 15))) + (0.7 * rank((open - close)))) + (0.73 * rank(Ts_Rank(delay((-1 * returns), 6), 5)))) + rank(abs(correlation(vwap, adv20, 6)))) + (0.6 * rank((((sum(close, 200) / 200) - open) * (close - open)))))",
"2.21 * cs_rank(ts_corr(close - open, delay(volume, 1), 15)) + 0.7 * cs_rank(open - close) + 0.73 * cs_rank(ts_rank(delay(-ret(close, 1), 6), 5)) + cs_rank(abs(ts_corr(vwap, adv(20), 6))) + 0.6 * cs_rank((ts_mean(close, 200) - open) * (close - open))")
a(37,"(rank(correlation(delay((open - close), 1), close, 200)) + rank((open - close)))",
"cs_rank(ts_corr(delay(open - close, 1), close, 200)) + cs_rank(open - close)")
a(38,"((-1 * rank(Ts_Rank(close, 10))) * rank((close / open)))","-cs_rank(ts_rank(close, 10)) * cs_rank(close / open)")
a(39,"((-1 * rank((delta(close, 7) * (1 - rank(decay_linear((volume / adv20), 9)))))) * (1 + rank(sum(returns, 250))))",
"-cs_rank(delta(close, 7) * (1 - cs_rank(decay_linear(volume / adv(20), 9)))) * (1 + cs_rank(ts_sum(ret(close, 1), 250)))")
a(40,"((-1 * rank(stddev(high, 10))) * correlation(high, volume, 10))","-cs_rank(ts_std(high, 10)) * ts_corr(high, volume, 10)")
a(41,"(((high * low)^0.5) - vwap)","signed_pow(high * low, 0.5) - vwap")
a(42,"(rank((vwap - close)) / rank((vwap + close)))","cs_rank(vwap - close) / cs_rank(vwap + close)")
a(43,"(ts_rank((volume / adv20), 20) * ts_rank((-1 * delta(close, 7)), 8))","ts_rank(volume / adv(20), 20) * ts_rank(-delta(close, 7), 8)")
a(44,"(-1 * correlation(high, rank(volume), 5))","-ts_corr(high, cs_rank(volume), 5)")
def two(x,y):
    d=f"delta({x}, 1) * delta({y}, 1)"
    return f"as_num({d}) / abs(as_num({d}))"
a(45,"(-1 * ((rank((sum(delay(close, 5), 20) / 20)) * correlation(close, volume, 2)) * rank(correlation(sum(close, 5), sum(close, 20), 2))))",
"-(cs_rank(ts_mean(delay(close, 5), 20)) * ts_corr(close, volume, 2) * cs_rank(ts_corr(ts_sum(close, 5), ts_sum(close, 20), 2)))")
P="(((delay(close, 20) - delay(close, 10)) / 10) - ((delay(close, 10) - close) / 10))"
Q="as_num((delay(close, 20) - delay(close, 10)) / 10 - (delay(close, 10) - close) / 10)"
a(46,f"((0.25 < {P}) ? (-1 * 1) : (({P} < 0) ? 1 : ((-1 * 1) * (close - delay(close, 1)))))",
f"where(0.25 < {Q}, -1, where({Q} < 0, 1, -as_num(close - delay(close, 1))))")
a(47,"((((rank((1 / close)) * volume) / adv20) * ((high * rank((high - close))) / (sum(high, 5) / 5))) - rank((vwap - delay(vwap, 5))))",
"as_num(cs_rank(1 / close) * volume / adv(20)) * (high * cs_rank(high - close) / ts_mean(high, 5)) - cs_rank(vwap - delay(vwap, 5))")
a(48,"(indneutralize(((correlation(delta(close, 1), delta(delay(close, 1), 1), 250) * delta(close, 1)) / close), IndClass.subindustry) / sum(((delta(close, 1) / delay(close, 1))^2), 250))",
"cs_group_demean(ts_corr(delta(close, 1), delta(delay(close, 1), 1), 250) * delta(close, 1) / close, \"subindustry\") / ts_sum(signed_pow(abs(delta(close, 1) / delay(close, 1)), 2), 250)")
for n,k in ((49,"0.1"),(51,"0.05")):
    a(n,f"(({P} < (-1 * {k})) ? 1 : ((-1 * 1) * (close - delay(close, 1))))",f"where({Q} < -{k}, 1, -as_num(close - delay(close, 1)))")
a(50,"(-1 * ts_max(rank(correlation(rank(volume), rank(vwap), 5)), 5))","-ts_max(cs_rank(ts_corr(cs_rank(volume), cs_rank(vwap), 5)), 5)")
a(52,"((((-1 * ts_min(low, 5)) + delay(ts_min(low, 5), 5)) * rank(((sum(returns, 240) - sum(returns, 20)) / 220))) * ts_rank(volume, 5))",
"(-ts_min(low, 5) + delay(ts_min(low, 5), 5)) * cs_rank((ts_sum(ret(close, 1), 240) - ts_sum(ret(close, 1), 20)) / 220) * ts_rank(volume, 5)")
a(53,"(-1 * delta((((close - low) - (high - close)) / (close - low)), 9))","-delta(((close - low) - (high - close)) / (close - low), 9)")
a(54,"((-1 * ((low - close) * (open^5))) / ((low - high) * (close^5)))","-((low - close) * signed_pow(open, 5)) / ((low - high) * signed_pow(close, 5))")
a(55,"(-1 * correlation(rank(((close - ts_min(low, 12)) / (ts_max(high, 12) - ts_min(low, 12)))), rank(volume), 6))",
"-ts_corr(cs_rank((close - ts_min(low, 12)) / (ts_max(high, 12) - ts_min(low, 12))), cs_rank(volume), 6)")
a(56,"(0 - (1 * (rank((sum(returns, 10) / sum(sum(returns, 2), 3))) * rank((returns * cap)))))",
"0 - cs_rank(ts_sum(ret(close, 1), 10) / ts_sum(ts_sum(ret(close, 1), 2), 3)) * cs_rank(ret(close, 1) * ext(\"cap\"))")
a(57,"(0 - (1 * ((close - vwap) / decay_linear(rank(ts_argmax(close, 30)), 2))))","0 - (close - vwap) / decay_linear(cs_rank(-ts_argmax(close, 30)), 2)")
def g(x,c): return f"cs_group_demean(as_num({x}), \"{c}\")"
a(58,"(-1 * Ts_Rank(decay_linear(correlation(IndNeutralize(vwap, IndClass.sector), volume, 3.92795), 7.89291), 5.50322))",
f"-ts_rank(decay_linear(ts_corr({g('vwap','sector')}, volume, 3), 7), 5)")
a(59,"(-1 * Ts_Rank(decay_linear(correlation(IndNeutralize(((vwap * 0.728317) + (vwap * (1 - 0.728317))), IndClass.industry), volume, 4.25197), 16.2289), 8.19648))",
f"-ts_rank(decay_linear(ts_corr({g('vwap * 0.728317 + vwap * (1 - 0.728317)','industry')}, volume, 4), 16), 8)")
a(60,"(0 - (1 * ((2 * scale(rank(((((close - low) - (high - close)) / (high - low)) * volume)))) - scale(rank(ts_argmax(close, 10))))))",
"0 - (2 * cs_scale(cs_rank(((close - low) - (high - close)) / (high - low) * volume)) - cs_scale(cs_rank(-ts_argmax(close, 10))))")
def lt(x,y): return f"where({x} < {y}, 1, 0)"
a(61,"(rank((vwap - ts_min(vwap, 16.1219))) < rank(correlation(vwap, adv180, 17.9282)))",
lt("cs_rank(vwap - ts_min(vwap, 16))","cs_rank(ts_corr(vwap, adv(180), 17))"))
a(62,"((rank(correlation(vwap, sum(adv20, 22.4101), 9.91009)) < rank(((rank(open) + rank(open)) < (rank(((high + low) / 2)) + rank(high))))) * -1)",
"-"+lt("cs_rank(ts_corr(vwap, ts_sum(adv(20), 22), 9))","cs_rank("+lt("cs_rank(open) + cs_rank(open)","cs_rank((high + low) / 2) + cs_rank(high)")+")"))
a(63,"((rank(decay_linear(delta(IndNeutralize(close, IndClass.industry), 2.25164), 8.22237)) - rank(decay_linear(correlation(((vwap * 0.318108) + (open * (1 - 0.318108))), sum(adv180, 37.2467), 13.557), 12.2883))) * -1)",
f"-(cs_rank(decay_linear(delta({g('close','industry')}, 2), 8)) - cs_rank(decay_linear(ts_corr(vwap * 0.318108 + open * (1 - 0.318108), ts_sum(adv(180), 37), 13), 12)))")
a(64,"((rank(correlation(sum(((open * 0.178404) + (low * (1 - 0.178404))), 12.7054), sum(adv120, 12.7054), 16.6208)) < rank(delta(((((high + low) / 2) * 0.178404) + (vwap * (1 - 0.178404))), 3.69741))) * -1)",
"-"+lt("cs_rank(ts_corr(ts_sum(open * 0.178404 + low * (1 - 0.178404), 12), ts_sum(adv(120), 12), 16))","cs_rank(delta((high + low) / 2 * 0.178404 + vwap * (1 - 0.178404), 3))"))
a(65,"((rank(correlation(((open * 0.00817205) + (vwap * (1 - 0.00817205))), sum(adv60, 8.6911), 6.40374)) < rank((open - ts_min(open, 13.635)))) * -1)",
"-"+lt("cs_rank(ts_corr(open * 0.00817205 + vwap * (1 - 0.00817205), ts_sum(adv(60), 8), 6))","cs_rank(open - ts_min(open, 13))"))
a(66,"((rank(decay_linear(delta(vwap, 3.51013), 7.23052)) + Ts_Rank(decay_linear(((((low * 0.96633) + (low * (1 - 0.96633))) - vwap) / (open - ((high + low) / 2))), 11.4157), 6.72611)) * -1)",
"-(cs_rank(decay_linear(delta(vwap, 3), 7)) + ts_rank(decay_linear((low * 0.96633 + low * (1 - 0.96633) - vwap) / (open - (high + low) / 2), 11), 6))")
a(67,"((rank((high - ts_min(high, 2.14593)))^rank(correlation(IndNeutralize(vwap, IndClass.sector), IndNeutralize(adv20, IndClass.subindustry), 6.02936))) * -1)",
f"-pow(cs_rank(high - ts_min(high, 2)), cs_rank(ts_corr({g('vwap','sector')}, {g('adv(20)','subindustry')}, 6)))")
a(68,"((Ts_Rank(correlation(rank(high), rank(adv15), 8.91644), 13.9333) < rank(delta(((close * 0.518371) + (low * (1 - 0.518371))), 1.06157))) * -1)",
"-"+lt("ts_rank(ts_corr(cs_rank(high), cs_rank(adv(15)), 8), 13)","cs_rank(delta(close * 0.518371 + low * (1 - 0.518371), 1))"))
a(69,"((rank(ts_max(delta(IndNeutralize(vwap, IndClass.industry), 2.72412), 4.79344))^Ts_Rank(correlation(((close * 0.490655) + (vwap * (1 - 0.490655))), adv20, 4.92416), 9.0615)) * -1)",
f"-pow(cs_rank(ts_max(delta({g('vwap','industry')}, 2), 4)), ts_rank(ts_corr(close * 0.490655 + vwap * (1 - 0.490655), adv(20), 4), 9))")
a(70,"((rank(delta(vwap, 1.29456))^Ts_Rank(correlation(IndNeutralize(close, IndClass.industry), adv50, 17.8256), 17.9171)) * -1)",
f"-pow(cs_rank(delta(vwap, 1)), ts_rank(ts_corr({g('close','industry')}, adv(50), 17), 17))")
a(71,"max(Ts_Rank(decay_linear(correlation(Ts_Rank(close, 3.43976), Ts_Rank(adv180, 12.0647), 18.0175), 4.20501), 15.6948), Ts_Rank(decay_linear((rank(((low + open) - (vwap + vwap)))^2), 16.4662), 4.4388))",
"max2(ts_rank(decay_linear(ts_corr(ts_rank(close, 3), ts_rank(adv(180), 12), 18), 4), 15), ts_rank(decay_linear(signed_pow(cs_rank(low + open - (vwap + vwap)), 2), 16), 4))")
a(72,"(rank(decay_linear(correlation(((high + low) / 2), adv40, 8.93345), 10.1519)) / rank(decay_linear(correlation(Ts_Rank(vwap, 3.72469), Ts_Rank(volume, 18.5188), 6.86671), 2.95011)))",
"cs_rank(decay_linear(ts_corr((high + low) / 2, adv(40), 8), 10)) / cs_rank(decay_linear(ts_corr(ts_rank(vwap, 3), ts_rank(volume, 18), 6), 2))")
a(73,"(max(rank(decay_linear(delta(vwap, 4.72775), 2.91864)), Ts_Rank(decay_linear(((delta(((open * 0.147155) + (low * (1 - 0.147155))), 2.03608) / ((open * 0.147155) + (low * (1 - 0.147155)))) * -1), 3.33829), 16.7411)) * -1)",
"-max2(cs_rank(decay_linear(delta(vwap, 4), 2)), ts_rank(decay_linear(-(delta(open * 0.147155 + low * (1 - 0.147155), 2) / (open * 0.147155 + low * (1 - 0.147155))), 3), 16))")
a(74,"((rank(correlation(close, sum(adv30, 37.4843), 15.1365)) < rank(correlation(rank(((high * 0.0261661) + (vwap * (1 - 0.0261661)))), rank(volume), 11.4791))) * -1)",
"-"+lt("cs_rank(ts_corr(close, ts_sum(adv(30), 37), 15))","cs_rank(ts_corr(cs_rank(high * 0.0261661 + vwap * (1 - 0.0261661)), cs_rank(volume), 11))"))
a(75,"(rank(correlation(vwap, volume, 4.24304)) < rank(correlation(rank(low), rank(adv50), 12.4413)))",
lt("cs_rank(ts_corr(vwap, volume, 4))","cs_rank(ts_corr(cs_rank(low), cs_rank(adv(50)), 12))"))
a(76,"(max(rank(decay_linear(delta(vwap, 1.24383), 11.8259)), Ts_Rank(decay_linear(Ts_Rank(correlation(IndNeutralize(low, IndClass.sector), adv81, 8.14941), 19.569), 17.1543), 19.383)) * -1)",
f"-max2(cs_rank(decay_linear(delta(vwap, 1), 11)), ts_rank(decay_linear(ts_rank(ts_corr({g('low','sector')}, adv(81), 8), 19), 17), 19))")
a(77,"min(rank(decay_linear(((((high + low) / 2) + high) - (vwap + high)), 20.0451)), rank(decay_linear(correlation(((high + low) / 2), adv40, 3.1614), 5.64125)))",
"min2(cs_rank(decay_linear((high + low) / 2 + high - (vwap + high), 20)), cs_rank(decay_linear(ts_corr((high + low) / 2, adv(40), 3), 5)))")
a(78,"(rank(correlation(sum(((low * 0.352233) + (vwap * (1 - 0.352233))), 19.7428), sum(adv40, 19.7428), 6.83313))^rank(correlation(rank(vwap), rank(volume), 5.77492)))",
"pow(cs_rank(ts_corr(ts_sum(low * 0.352233 + vwap * (1 - 0.352233), 19), ts_sum(adv(40), 19), 6)), cs_rank(ts_corr(cs_rank(vwap), cs_rank(volume), 5)))")
a(79,"(rank(delta(IndNeutralize(((close * 0.60733) + (open * (1 - 0.60733))), IndClass.sector), 1.23438)) < rank(correlation(Ts_Rank(vwap, 3.60973), Ts_Rank(adv150, 9.18637), 14.6644)))",
lt(f"cs_rank(delta({g('close * 0.60733 + open * (1 - 0.60733)','sector')}, 1))","cs_rank(ts_corr(ts_rank(vwap, 3), ts_rank(adv(150), 9), 14))"))
a(80,"((rank(Sign(delta(IndNeutralize(((open * 0.868128) + (high * (1 - 0.868128))), IndClass.industry), 4.04545)))^Ts_Rank(correlation(high, adv10, 5.11456), 5.53756)) * -1)",
f"-pow(cs_rank(sign(delta({g('open * 0.868128 + high * (1 - 0.868128)','industry')}, 4))), ts_rank(ts_corr(high, adv(10), 5), 5))")
a(81,"((rank(Log(product(rank((rank(correlation(vwap, sum(adv10, 49.6054), 8.47743))^4)), 14.9655))) < rank(correlation(rank(vwap), rank(volume), 5.07914))) * -1)",
"-"+lt("cs_rank(log(ts_prod(cs_rank(signed_pow(cs_rank(ts_corr(vwap, ts_sum(adv(10), 49), 8)), 4)), 14)))","cs_rank(ts_corr(cs_rank(vwap), cs_rank(volume), 5))"))
a(82,"(min(rank(decay_linear(delta(open, 1.46063), 14.8717)), Ts_Rank(decay_linear(correlation(IndNeutralize(volume, IndClass.sector), ((open * 0.634196) + (open * (1 - 0.634196))), 17.4842), 6.92131), 13.4283)) * -1)",
f"-min2(cs_rank(decay_linear(delta(open, 1), 14)), ts_rank(decay_linear(ts_corr({g('volume','sector')}, open * 0.634196 + open * (1 - 0.634196), 17), 6), 13))")
a(83,"((rank(delay(((high - low) / (sum(close, 5) / 5)), 2)) * rank(rank(volume))) / (((high - low) / (sum(close, 5) / 5)) / (vwap - close)))",
"cs_rank(delay((high - low) / ts_mean(close, 5), 2)) * cs_rank(cs_rank(volume)) / ((high - low) / ts_mean(close, 5) / (vwap - close))")
a(84,"SignedPower(Ts_Rank((vwap - ts_max(vwap, 15.3217)), 20.7127), delta(close, 4.96796))","pow(ts_rank(vwap - ts_max(vwap, 15), 20), as_num(delta(close, 4)))")
a(85,"(rank(correlation(((high * 0.876703) + (close * (1 - 0.876703))), adv30, 9.61331))^rank(correlation(Ts_Rank(((high + low) / 2), 3.70596), Ts_Rank(volume, 10.1595), 7.11408)))",
"pow(cs_rank(ts_corr(high * 0.876703 + close * (1 - 0.876703), adv(30), 9)), cs_rank(ts_corr(ts_rank((high + low) / 2, 3), ts_rank(volume, 10), 7)))")
a(86,"((Ts_Rank(correlation(close, sum(adv20, 14.7444), 6.00049), 20.4195) < rank(((open + close) - (vwap + open)))) * -1)",
"-"+lt("ts_rank(ts_corr(close, ts_sum(adv(20), 14), 6), 20)","cs_rank(open + close - (vwap + open))"))
a(87,"(max(rank(decay_linear(delta(((close * 0.369701) + (vwap * (1 - 0.369701))), 1.91233), 2.65461)), Ts_Rank(decay_linear(abs(correlation(IndNeutralize(adv81, IndClass.industry), close, 13.4132)), 4.89768), 14.4535)) * -1)",
f"-max2(cs_rank(decay_linear(delta(close * 0.369701 + vwap * (1 - 0.369701), 1), 2)), ts_rank(decay_linear(abs(ts_corr({g('adv(81)','industry')}, close, 13)), 4), 14))")
a(88,"min(rank(decay_linear(((rank(open) + rank(low)) - (rank(high) + rank(close))), 8.06882)), Ts_Rank(decay_linear(correlation(Ts_Rank(close, 8.44728), Ts_Rank(adv60, 20.6966), 8.01266), 6.65053), 2.61957))",
"min2(cs_rank(decay_linear(cs_rank(open) + cs_rank(low) - (cs_rank(high) + cs_rank(close)), 8)), ts_rank(decay_linear(ts_corr(ts_rank(close, 8), ts_rank(adv(60), 20), 8), 6), 2))")
a(89,"(Ts_Rank(decay_linear(correlation(((low * 0.967285) + (low * (1 - 0.967285))), adv10, 6.94279), 5.51607), 3.79744) - Ts_Rank(decay_linear(delta(IndNeutralize(vwap, IndClass.industry), 3.48158), 10.1466), 15.3012))",
f"ts_rank(decay_linear(ts_corr(low * 0.967285 + low * (1 - 0.967285), adv(10), 6), 5), 3) - ts_rank(decay_linear(delta({g('vwap','industry')}, 3), 10), 15)")
a(90,"((rank((close - ts_max(close, 4.66719)))^Ts_Rank(correlation(IndNeutralize(adv40, IndClass.subindustry), low, 5.38375), 3.21856)) * -1)",
f"-pow(cs_rank(close - ts_max(close, 4)), ts_rank(ts_corr({g('adv(40)','subindustry')}, low, 5), 3))")
a(91,"((Ts_Rank(decay_linear(decay_linear(correlation(IndNeutralize(close, IndClass.industry), volume, 9.74928), 16.398), 3.83219), 4.8667) - rank(decay_linear(correlation(vwap, adv30, 4.01303), 2.6809))) * -1)",
f"-(ts_rank(decay_linear(decay_linear(ts_corr({g('close','industry')}, volume, 9), 16), 3), 4) - cs_rank(decay_linear(ts_corr(vwap, adv(30), 4), 2)))")
a(92,"min(Ts_Rank(decay_linear(((((high + low) / 2) + close) < (low + open)), 14.7221), 18.8683), Ts_Rank(decay_linear(correlation(rank(low), rank(adv30), 7.58555), 6.94024), 6.80584))",
"min2(ts_rank(decay_linear("+lt("(high + low) / 2 + close","low + open")+", 14), 18), ts_rank(decay_linear(ts_corr(cs_rank(low), cs_rank(adv(30)), 7), 6), 6))")
a(93,"(Ts_Rank(decay_linear(correlation(IndNeutralize(vwap, IndClass.industry), adv81, 17.4193), 19.848), 7.54455) / rank(decay_linear(delta(((close * 0.524434) + (vwap * (1 - 0.524434))), 2.77377), 16.2664)))",
f"ts_rank(decay_linear(ts_corr({g('vwap','industry')}, adv(81), 17), 19), 7) / cs_rank(decay_linear(delta(close * 0.524434 + vwap * (1 - 0.524434), 2), 16))")
a(94,"((rank((vwap - ts_min(vwap, 11.5783)))^Ts_Rank(correlation(Ts_Rank(vwap, 19.6462), Ts_Rank(adv60, 4.02992), 18.0926), 2.70756)) * -1)",
"-pow(cs_rank(vwap - ts_min(vwap, 11)), ts_rank(ts_corr(ts_rank(vwap, 19), ts_rank(adv(60), 4), 18), 2))")
a(95,"(rank((open - ts_min(open, 12.4105))) < Ts_Rank((rank(correlation(sum(((high + low) / 2), 19.1351), sum(adv40, 19.1351), 12.8742))^5), 11.7584))",
lt("cs_rank(open - ts_min(open, 12))","ts_rank(signed_pow(cs_rank(ts_corr(ts_sum((high + low) / 2, 19), ts_sum(adv(40), 19), 12)), 5), 11)"))
a(96,"(max(Ts_Rank(decay_linear(correlation(rank(vwap), rank(volume), 3.83878), 4.16783), 8.38151), Ts_Rank(decay_linear(Ts_ArgMax(correlation(Ts_Rank(close, 7.45404), Ts_Rank(adv60, 4.13242), 3.65459), 12.6556), 14.0365), 13.4143)) * -1)",
"-max2(ts_rank(decay_linear(ts_corr(cs_rank(vwap), cs_rank(volume), 3), 4), 8), ts_rank(decay_linear(-ts_argmax(ts_corr(ts_rank(close, 7), ts_rank(adv(60), 4), 3), 12), 14), 13))")
a(97,"((rank(decay_linear(delta(IndNeutralize(((low * 0.721001) + (vwap * (1 - 0.721001))), IndClass.industry), 3.3705), 20.4523)) - Ts_Rank(decay_linear(Ts_Rank(correlation(Ts_Rank(low, 7.87871), Ts_Rank(adv60, 17.255), 4.97547), 18.5925), 15.7152), 6.71659)) * -1)",
f"-(cs_rank(decay_linear(delta({g('low * 0.721001 + vwap * (1 - 0.721001)','industry')}, 3), 20)) - ts_rank(decay_linear(ts_rank(ts_corr(ts_rank(low, 7), ts_rank(adv(60), 17), 4), 18), 15), 6))")
a(98,"(rank(decay_linear(correlation(vwap, sum(adv5, 26.4719), 4.58418), 7.18088)) - rank(decay_linear(Ts_Rank(Ts_ArgMin(correlation(rank(open), rank(adv15), 20.8187), 8.62571), 6.95668), 8.07206)))",
"cs_rank(decay_linear(ts_corr(vwap, ts_sum(adv(5), 26), 4), 7)) - cs_rank(decay_linear(ts_rank(-ts_argmin(ts_corr(cs_rank(open), cs_rank(adv(15)), 20), 8), 6), 8))")
a(99,"((rank(correlation(sum(((high + low) / 2), 19.8975), sum(adv60, 19.8975), 8.8136)) < rank(correlation(low, volume, 6.28259))) * -1)",
"-"+lt("cs_rank(ts_corr(ts_sum((high + low) / 2, 19), ts_sum(adv(60), 19), 8))","cs_rank(ts_corr(low, volume, 6))"))
a(100,"(0 - (1 * (((1.5 * scale(indneutralize(indneutralize(rank(((((close - low) - (high - close)) / (high - low)) * volume)), IndClass.subindustry), IndClass.subindustry))) - scale(indneutralize((correlation(close, rank(adv20), 5) - rank(ts_argmin(close, 30))), IndClass.subindustry))) * (volume / adv20))))",
"0 - (1.5 * cs_scale(cs_group_demean(cs_group_demean(cs_rank(((close - low) - (high - close)) / (high - low) * volume), \"subindustry\"), \"subindustry\")) - cs_scale(cs_group_demean(ts_corr(close, cs_rank(adv(20)), 5) - cs_rank(-ts_argmin(close, 30)), \"subindustry\"))) * as_num(volume / adv(20))")
a(101,"((close - open) / ((high - low) + .001))","as_num(close - open) / (as_num(high - low) + 0.001)")
import textwrap
def fold(t):
    return t
out=['''# The alphas of Z. Kakushadze, "101 Formulaic Alphas", arXiv 1601.00991 (2016), Wilmott 84: the formula in the paper's
# notation, and the same in clawd's language. Windows that are no whole number of days are rounded down, as the paper
# says. `as_num` stands where a formula mixes units.
# `cap`, the market value of each company, is an outside series.
''']
for n in sorted(A):
    p,c,note=A[n]
    out.append(f"\n[{n}]\n"+(f"# {note[0].upper()+note[1:]}.\n" if note else "")+f"paper = '{p}'\nclawd = '{c}'\n")
open("alphas.toml","w").write("".join(out))
print(len(A), sorted(set(range(1,102))-set(A)))
