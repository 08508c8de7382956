@echo off
rem The platform in minikube. See --help. The same as setup-minikube.sh, for Windows 10 and newer.
setlocal
set "LIB=%~dp0lib-deploy.bat"
call "%LIB%" :defaults
set "TAG="
set "LOAD=yes"
set "DEPLOY="
set "CLUSTER=bizosaas"
set "DRIVER=docker"

:arguments
if "%~1"=="" goto checked
if "%~1"=="--help" goto help
if "%~1"=="-h" goto help
if "%~1"=="--no-load" goto take_load
if "%~1"=="--context" echo error: unknown option --context, see --help 1>&2
if "%~1"=="--context" exit /b 2
if "%~1"=="--cluster" goto take_cluster
if "%~1"=="--driver" goto take_driver
if "%~1"=="--tag" goto take_tag
if "%~1"=="--values" goto take_values
if "%~1"=="-f" goto take_values
call "%LIB%" :option %1 %2
if not "%RC%"=="0" exit /b 2
shift
if "%USED%"=="2" shift
goto arguments

:take_load
set "LOAD=no"
shift
goto arguments

:take_cluster
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
set "CLUSTER=%~2"
shift
shift
goto arguments

:take_driver
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
set "DRIVER=%~2"
shift
shift
goto arguments

:take_tag
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
set "TAG=%~2"
shift
shift
goto arguments

:take_values
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
set "DEPLOY=%DEPLOY% --values "%~2""
shift
shift
goto arguments

:help
echo Usage: scripts\setup-minikube.bat [OPTION]
echo.
echo Starts a minikube cluster (or reuses it), loads the images into it without a registry, installs the chart and asks every
echo service for its health. Needs minikube, docker, kubectl and helm. Safe to repeat.
echo.
echo   --cluster NAME     minikube's profile; default bizosaas
echo   --driver NAME      minikube's driver; default docker
echo   --tag TAG          tag of the images (default: the chart's version of the platform)
echo   --values FILE      values for the chart; may be repeated
echo   --no-load          the cluster pulls the images from a registry
echo   --host HOST        where the NodePorts answer (default: found out)
echo   --namespace NAME   default bizosaas-dev
echo   --release NAME     default bizosaas
echo   --timeout SECONDS  longest wait for each step (default 900)
echo   --dry-run          print what would be changed
echo   --yes              ask nothing
echo   --help
exit /b 0

:checked
call :main
if errorlevel 1 goto ended_badly
call "%LIB%" :clean_up
exit /b 0

:ended_badly
call "%LIB%" :clean_up
exit /b 1

:main
set "CONTEXT=%CLUSTER%"
call "%LIB%" :need minikube https://minikube.sigs.k8s.io/docs/start/
if errorlevel 1 exit /b 1
call "%LIB%" :need helm https://helm.sh/docs/intro/install/
if errorlevel 1 exit /b 1
call "%LIB%" :need kubectl https://kubernetes.io/docs/tasks/tools/
if errorlevel 1 exit /b 1
call "%~dp0lib-cluster.bat" :find_images
if errorlevel 1 exit /b 1
call minikube status --profile %CLUSTER% >nul 2>nul
if not errorlevel 1 echo the cluster %CLUSTER% runs
if not errorlevel 1 goto load
rem with docker the NodePorts are published on this machine, because the node cannot be reached from Windows
set "PORTS="
if "%DRIVER%"=="docker" for %%P in (30101 30102 30103 30104 30105) do call :port %%P
call "%LIB%" :change minikube start --profile %CLUSTER% --driver %DRIVER%%PORTS%
if errorlevel 1 exit /b 1

:load
set "FAILED=no"
if "%LOAD%"=="yes" for %%I in (%IMAGES%) do call :image %%I
if "%FAILED%"=="yes" exit /b 1
if not "%NODE%"=="" goto deploy
set "NODE=localhost"
if "%DRIVER%"=="docker" goto deploy
if "%DRY_RUN%"=="yes" goto deploy
for /f %%N in ('minikube ip --profile %CLUSTER%') do set "NODE=%%N"

:deploy
call "%~dp0lib-cluster.bat" :deploy
if errorlevel 1 exit /b 1
exit /b 0

:image
call "%LIB%" :change minikube image load %~1 --profile %CLUSTER%
if errorlevel 1 set "FAILED=yes"
exit /b 0

:port
set "PORTS=%PORTS% "--ports=127.0.0.1:%~1:%~1""
exit /b 0
